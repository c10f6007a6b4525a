"""What became of a row: the codes that stand in `status`."""

OK = 0
NON_FINITE_INPUT = 1
NON_FINITE_VALUE = 2
NON_FINITE_GRADIENT = 3
EXCEPTION = 4
UNMET_GUARD = 5

REASONS = {
    OK: "ok",
    NON_FINITE_INPUT: "non-finite input",
    NON_FINITE_VALUE: "non-finite value",
    NON_FINITE_GRADIENT: "non-finite gradient",
    EXCEPTION: "exception in the function",
    UNMET_GUARD: "a guard that could not be met",
}
