"""Exporting: a recording or a lesson becomes files.

`options` is what somebody asks for, `sources` makes the album, `formats` is the table of what there is and who writes
it, `files` writes whole files or none, `run` puts them together.
"""
