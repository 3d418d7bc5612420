"""What checks of Schemathesis assert and no JSON Schema can promise, case by case."""

import re

import schemathesis

# A request that fits its schema may be refused for what the server holds, or what others did.
STATE = {
    "invalid_action_token",
    "invalid_cursor",
    "idempotency_mismatch",
    "version_mismatch",
    "batch_failed",
    "weak_password",
}
# What no JSON holds anywhere: numbers and texts that cannot be stored exactly, a key of JavaScript.
ANYWHERE = re.compile(
    "numbers must lie within|text must not contain NUL or lone|the key __proto__ is not allowed"
)
IMPORT = "POST /api/v2/items/import"
# (operations, paths of the refused fields) by rules that a schema cannot state.
RULES = [
    # More than the format "email": mail must be able to reach it.
    (r".*", r"body\.(new_)?email"),
    # The grammar of conditions and the types of their fields; each condition stands once.
    (r"GET .*", r"query\.(where|filter\[.*)"),
    # RFC 3339 or a date, and one that exists.
    (r"GET .*", r"query\.(created_after|created_before|from|until)"),
    # No entry twice: generators for Java break on uniqueItems of an enum.
    (r"GET .*", r"query\.(fields|expand|sort)"),
    (r"POST /api/v2/tokens", r"body\.scopes"),
    # Parameters that fit their types, templates that name parameters, secrets that have a host.
    (r"POST /api/v2/sources|PATCH /api/v2/sources/\{name\}", r"body\.(?!name).*"),
    # Which addresses may be called.
    (r"GET /api/v1/external/", r"query\.url(\.\d+)?"),
    (r"POST /api/v2/sources/fetch", r"body\.calls\.\d+(\.url)?"),
    # Text whose lines or columns are judged one by one.
    (IMPORT, r"body\..*"),
]
# What asks another host fails as that host does.
OUTSIDE = re.compile(r"GET /api/(v1/external/|v2/sources/\{name\})$")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    check, status, operation = failure.checks[0], response.status_code, case.operation.label
    if check == "not_a_server_error":
        return not (status in (502, 503, 504) and OUTSIDE.match(operation))
    if check == "negative_data_rejection":
        # An empty text is an import of no lines.
        if operation == IMPORT and status == 200:
            return response.json()["created"] > 0
        # Refused, if for another reason.
        return status not in (412, 413, 431)
    if check == "positive_data_acceptance":
        return not is_refused_by_rule(status, operation, response)
    return True


def is_refused_by_rule(status, operation, response):
    # All parameters at their longest are more than a request line may be.
    if status == 431:
        return True
    problem = response.json()
    # The media type of the body follows from the parameter `format`.
    if status == 415:
        return operation == IMPORT
    if problem.get("code") in STATE:
        return True
    # v1 has no 409.
    if status == 400 and operation == "POST /api/v1/users/":
        return True
    errors = problem.get("errors") or problem.get("detail")
    return isinstance(errors, list) and all(is_rule(operation, error) for error in errors)


def is_rule(operation, error):
    """Whether no schema can state why this field is refused, of a problem or of v1's detail."""
    if ANYWHERE.search(error.get("message", error.get("msg"))):
        return True
    path = error.get("path") or ".".join(map(str, error["loc"]))
    return any(re.fullmatch(where, operation) and re.fullmatch(what, path) for where, what in RULES)
