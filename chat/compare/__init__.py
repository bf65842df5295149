"""Comparing caches: what was served once, served again by several caches side by side.

`served` is what is compared, `sources` where it comes from, `fed` a cache that is fed it, `contest` several of them in
lockstep (fed, or with a model behind each), `losses` why one reused less than another, `words` and `page` what is
printed, `run` puts them together.
"""
