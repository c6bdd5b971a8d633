"""What is said of the states of organizations and accounts."""

from core.machines import Machine

MACHINES = (
    Machine(
        "organization", ends=frozenset({"closed", "merged"}), rests={"active": "it exists"}
    ),
    Machine(
        "account", ends=frozenset(), rests={"active": "it is used", "disabled": "until enabled"}
    ),
)  # fmt: skip
