"""What is said of the states of jobs."""

from core.jobs.recovery import LATE
from core.machines import Machine, Watch

MACHINES = (
    Machine(
        "procrastinate_jobs",
        ends=frozenset({"succeeded", "cancelled"}),
        watches=(
            Watch(
                "job", ("todo", "doing", "aborting", "failed", "aborted"),
                "Фоновая работа не выполнена", "Background work was not done",
                "service", LATE, "jobs.prune",
                seen="core.jobs.stuck: what failed, waits, hangs or was not begun",
            ),
        ),
    ),
)  # fmt: skip
