"""Simulating: a trace of many requests through the real caches, without any model.

`ids` numbers the blocks of a trace, `reading` reads its lines and `recorded` the requests of our own recordings,
`trace` packs both into one file that every process streams; `caches` says which caches there are, `replaying` feeds
one of them, `optimum` says what none can beat, `sweep` runs all of it side by side; `results` shows it and `window`
records a part.
"""
