"""Albums of recordings: a panel for each step, told in sentences, without anything that differs from run to run."""

from __future__ import annotations

import pytest

from radixchat.radix import RadixCache
from radixchat.radix.recording import Header, Recorder, Recording, RecordingError
from radixchat.viz.album import album_of
from radixchat.viz.scene import scenes

from .panels import CAPACITY, PANEL_PIECES, steps


def recorded(model: str = "words") -> Recording:
    """The nine steps of the paper's figure."""
    radix = RadixCache(CAPACITY)
    recorder = Recorder(Header(radix.config, model=model, bytes_per_token=4096), PANEL_PIECES.__getitem__)
    for _ in steps(radix):
        recorder.add(radix.take_events())
        recorder.flush()
    return recorder.recording


def test_every_step_is_a_panel() -> None:
    recording = recorded()
    album = album_of(recording)
    assert [panel.number for panel in album.panels] == list(range(1, 10))
    assert [panel.title for panel in album.panels][:2] == ["step 1", "step 2"]
    assert [panel.snapshot for panel in album.panels] == [recording.at(step.end) for step in recording.steps]
    assert all(panel.letters is None for panel in album.panels)
    assert album.bytes_per_token == 4096
    assert len(scenes(album)) == 9


def test_stories_are_sentences() -> None:
    album = album_of(recorded())
    told = album.panels[3].story
    assert "Split #1 at token 4" in told
    assert told == " ".join(told.split()) and told.endswith(".")
    assert all(panel.story[0].isupper() for panel in album.panels)
    chinese = album_of(recorded(), lang="zh")
    assert chinese.panels[3].title == "第 4 步"
    assert "拆分" in chinese.panels[3].story and chinese.panels[3].story.endswith("。")


def test_steps_are_chosen_by_number_and_what_comes_after_them_may_be_damaged() -> None:
    recording = recorded()
    recording.events[recording.steps[6].start + 1 :] = recording.events[-3:]
    album = album_of(recording, steps=range(2, 6))
    assert [panel.number for panel in album.panels] == [2, 3, 4, 5]
    assert album_of(recording, steps=[]).panels == ()
    with pytest.raises(RecordingError):
        album_of(recording)


def test_facts_are_safe_to_print_and_empty_ones_are_left_out() -> None:
    facts = album_of(recorded("\x1b[2J<model>")).facts
    assert facts["model"] == "␛[2J<model>"
    assert facts["capacity"] == "86 tokens" and facts["policy"] == "lru"
    assert "tokenizer" not in facts and list(facts)[:2] == ["program", "format"]


def test_a_recording_in_which_nothing_was_asked_has_one_panel() -> None:
    recording = Recording(Header(RadixCache(10).config))
    album = album_of(recording)
    assert [(panel.number, panel.title, panel.story) for panel in album.panels] == [(0, "step 0", "")]
    assert [piece.kind for piece in scenes(album)[0].pieces] == ["root"]
