"""Every graph of states: nobody gets stuck, what is final stays, the database knows the same."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import states as compliance
from directory import states as directory
from docflow.documents import states as documents
from docflow.documents.records import states as records
from docflow.routing import states as routing
from docflow.routing.nodes import states as nodes

ROOT = Path(__file__).resolve().parents[2]

GRAPHS: dict[str, tuple[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]]] = {
    "document": (documents.DocumentStatus, documents.TRANSITIONS),
    "signing_session": (documents.SessionStatus, documents.SESSION_TRANSITIONS),
    "file_plan": (records.PlanStatus, records.PLAN),
    "record_case": (records.CaseStatus, records.CASE),
    "case_filing": (records.FilingStatus, records.FILING),
    "case_inventory": (records.InventoryStatus, records.INVENTORY),
    "destruction_line": (records.LineStatus, records.LINE),
    "destruction_act": (records.ActStatus, records.ACT),
    "delivery": (routing.DeliveryStatus, routing.TRANSITIONS),
    "organization": (directory.OrganizationStatus, directory.TRANSITIONS),
    "node_note": (nodes.NoteStatus, nodes.NOTE_TRANSITIONS),
    "node_conflict": (nodes.ConflictStatus, nodes.CONFLICT_TRANSITIONS),
    "picture": (compliance.EntryStatus, compliance.ENTRY_TRANSITIONS),
    "licence": (compliance.EntryStatus, compliance.ENTRY_TRANSITIONS),
    "claimant": (compliance.ClaimantStatus, compliance.CLAIMANT_TRANSITIONS),
    "picture_review": (compliance.ReviewStatus, compliance.REVIEW_TRANSITIONS),
}

FINAL = {
    "document": {"discarded", "destroyed"},
    "file_plan": {"closed"},
    "record_case": {"carried", "destroyed"},
    "case_filing": {"destroyed"},
    "case_inventory": {"approved", "cancelled"},
    "destruction_line": {"dropped", "destroyed"},
    "destruction_act": {"executed", "rejected", "cancelled"},
    "signing_session": {"finished", "cancelled", "expired"},
    "delivery": {"executed", "refused", "recalled", "void"},
    "organization": {"closed", "merged"},
    "node_note": {"done", "void"},
    "node_conflict": {"withdrawn"},
    "picture": {"retired"},
    "licence": {"retired"},
    "claimant": {"retired"},
    "picture_review": {"cleared", "refused", "expired"},
}
"""Named here once more by hand: a state must not become final by a line forgotten."""


def schema() -> str:
    return "\n".join(
        path.read_text("utf-8") for path in sorted(ROOT.glob("*/**/piccolo_migrations/*.py"))
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_graph_knows_every_state_and_no_other(name: str) -> None:
    states, graph = GRAPHS[name]
    assert set(graph) == set(states)
    assert set().union(*graph.values()) <= set(states)
    assert all(state not in ways for state, ways in graph.items())


@pytest.mark.parametrize("name", GRAPHS)
def test_final_states_have_no_exit_and_the_others_do(name: str) -> None:
    _, graph = GRAPHS[name]
    assert {state.value for state, ways in graph.items() if not ways} == FINAL[name]


@pytest.mark.parametrize("name", GRAPHS)
def test_every_state_reaches_a_final_one(name: str) -> None:
    _, graph = GRAPHS[name]
    good = {state for state, ways in graph.items() if not ways}
    while more := {s for s, ways in graph.items() if ways & good} - good:
        good |= more
    assert good == set(graph)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_state_is_reached_from_a_first_one(name: str) -> None:
    firsts = {
        "document": {"draft"},
        "signing_session": {"open"},
        "file_plan": {"draft"},
        # Added to an approved plan a case is open at once.
        "record_case": {"planned", "open"},
        "case_filing": {"filed"},
        "case_inventory": {"draft"},
        "destruction_line": {"listed"},
        "destruction_act": {"draft"},
        # A dispatch writes these three; nothing else begins a delivery.
        "delivery": {"awaiting_relay", "queued", "delivered"},
        "organization": {"active"},
        "node_note": {"waiting"},
        "node_conflict": {"open"},
        "picture": {"active"},
        "licence": {"active"},
        "claimant": {"proposed"},
        "picture_review": {"open"},
    }[name]
    states, graph = GRAPHS[name]
    reached = {states(one) for one in firsts}
    while more := set().union(*(graph[state] for state in reached)) - reached:
        reached |= more
    assert reached == set(states)


@pytest.mark.parametrize("name", GRAPHS)
def test_database_allows_the_same_states(name: str) -> None:
    states, _ = GRAPHS[name]
    found = re.findall(rf"CONSTRAINT {name}_status CHECK \(status IN\s*\(([^)]*)\)\)", schema())
    *_, listed = found  # a later migration may say it anew
    assert set(re.findall(r"'(\w+)'", listed)) == {state.value for state in states}


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_random_walks_end_in_a_final_state(data: st.DataObject) -> None:
    """However one walks, a shortest way to an end stays open and a final state keeps its guest."""
    name = data.draw(st.sampled_from(sorted(GRAPHS)))
    states, graph = GRAPHS[name]
    here = data.draw(st.sampled_from(list(states)))
    for _ in range(data.draw(st.integers(0, 30))):
        if not graph[here]:
            assert here.value in FINAL[name]
            return
        here = data.draw(st.sampled_from(sorted(graph[here])))
    steps, front = 0, {here}
    while not any(not graph[state] for state in front):
        front = set().union(*(graph[state] for state in front))
        steps += 1
        assert steps <= len(states)


def test_numbers_are_only_had_from_registration_on() -> None:
    """A document with a number never gets back to a state without one."""
    for state in documents.NUMBERED:
        assert documents.TRANSITIONS[state] <= documents.NUMBERED
    assert not documents.EDITABLE & documents.NUMBERED


def test_recall_and_the_end_of_a_recipient_reach_all_that_is_open() -> None:
    assert {routing.DeliveryStatus.EXECUTED, routing.DeliveryStatus.REFUSED} <= routing.FINAL
    assert set(routing.DeliveryStatus) == routing.OPEN | routing.FINAL
    assert set(routing.SILENT) <= routing.OPEN
    assert routing.DeliveryStatus.ACKNOWLEDGED not in routing.SILENT
