"""Lessons: scripted teaching as data, played on the real cache, forward and back, with questions before the answers."""
