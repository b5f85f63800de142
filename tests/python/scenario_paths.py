"""What a path of a scenario reads."""

from compass import compass_core as model
from scenario_values import boolean, instant, listed, name, optional, source, state_name, state_value, version


def read(core, session, path):
    """The text at a path. One that there is not is a KeyError."""
    parts = path.split(".")
    match parts:
        case ["session", *rest]:
            return of_session(core.session(session), rest)
        case ["record", *rest]:
            return of_record(core.record(session), rest)
        case ["preview", action]:
            return core.preview(session, action).body
        case ["outbox", member]:
            return OUTBOX[member](core.outbox_totals())
        case ["due", member]:
            return DUE[member](core.next_due())
        case ["endpoints", key, member]:
            return ENDPOINT[member](keyed(core.endpoints(), lambda status: status.endpoint.key)[key])
        case ["workflows"]:
            return listed(version(summary.workflow) for summary in core.workflows())
    raise KeyError(path)


def of_session(view, path):
    match path:
        case ["fields", key, member]:
            return SESSION_FIELD[member](keyed(view.fields, lambda field: field.definition.key)[key])
        case [member]:
            return SESSION[member](view)
    raise KeyError(path)


def of_record(record, path):
    match path:
        case ["fields", key, member]:
            return RECORD_FIELD[member](keyed(record.fields, lambda field: field.definition.key)[key])
        case ["actions", key, member]:
            return ACTION[member](keyed(record.actions, lambda action: action.key)[key])
        case [member]:
            return RECORD[member](record)
    raise KeyError(path)


def keyed(items, key):
    return {key(item): item for item in items}


def steps(path):
    return listed(f"{step.visit}:{step.section}" for step in path)


def problems(found):
    return listed(f"{problem.field}:{problem.code}" for problem in found)


def notes(found):
    return listed("(redacted)" if note.text is None else note.text for note in found)


def newest(write):
    """Of the newest delivery; none without one."""
    return lambda action: write(action.deliveries[0]) if action.deliveries else None


ENTRIES = {
    "started": "STARTED",
    "fields_set": "FIELDS_SET",
    "answered": "ANSWERED",
    "went_back": "WENT_BACK",
    "response_used": "RESPONSE_USED",
    "noted": "NOTED",
    "completed": "COMPLETED",
    "ended": "ENDED",
    "discarded": "DISCARDED",
    "edited": "EDITED",
    "send_requested": "SEND_REQUESTED",
    "abandoned": "ABANDONED",
    "redacted": "REDACTED",
}


def entry_name(entry):
    [found] = [text for text, variant in ENTRIES.items() if isinstance(entry, getattr(model.TimelineEntry, variant))]
    return found


def edits(record):
    return [item.entry for item in record.timeline if isinstance(item.entry, model.TimelineEntry.EDITED)]


def possible(action):
    can = {"send": action.can_send, "send_corrected": action.can_send_corrected, "abandon": action.can_abandon}
    return listed(what for what, yes in can.items() if yes)


SESSION = {
    "key": lambda view: view.key,
    "workflow": lambda view: version(view.workflow),
    "state": lambda view: name(view.state),
    "won": lambda view: optional(view.won, boolean),
    "actor": lambda view: view.actor,
    "started_at": lambda view: instant(view.started_at),
    "finished_at": lambda view: optional(view.finished_at, instant),
    "visit": lambda view: str(view.visit),
    "can_complete": lambda view: boolean(view.can_complete),
    "section": lambda view: view.section.key,
    "path": lambda view: steps(view.path),
    "answers": lambda view: listed(answer.key for answer in view.answers),
    "responses": lambda view: listed(response.key for response in view.responses),
    "would_fire": lambda view: listed(action.key for action in view.would_fire),
    "sizes": lambda view: listed(f"{action.key}:{action.size or 0}" for action in view.would_fire),
    "problems": lambda view: problems(view.problems),
    "completion_problems": lambda view: problems(view.completion_problems),
    "completion_places": lambda view: listed(f"{p.visit}:{p.section}:{p.field}" for p in view.completion_problems),
    "notes": lambda view: notes(view.notes),
    "fields": lambda view: listed(field.definition.key for field in view.fields),
}

FIELD = {
    "state": lambda field: state_name(field.state),
    "value": lambda field: state_value(field.state),
    "source": lambda field: optional(field.source, source),
    "completed_at": lambda field: optional(field.completed_at, instant),
}

SESSION_FIELD = FIELD | {
    "draft": lambda field: field.draft,
    "problem": lambda field: optional(field.problem, lambda problem: problem.code),
}

RECORD_FIELD = FIELD | {"section": lambda field: field.section}

RECORD = {
    "state": lambda record: name(record.state),
    "won": lambda record: optional(record.won, boolean),
    "finished_at": lambda record: optional(record.finished_at, instant),
    "end_reason": lambda record: record.end_reason,
    "path": lambda record: steps(record.path),
    "notes": lambda record: notes(record.notes),
    "edit_reasons": lambda record: listed(entry.reason or "" for entry in edits(record)),
    "timeline": lambda record: listed(entry_name(item.entry) for item in record.timeline),
    "actions": lambda record: listed(action.key for action in record.actions),
}

ACTION = {
    "status": lambda action: name(action.status),
    "reason": lambda action: action.reason,
    "endpoint": lambda action: action.endpoint,
    "failed_sends": lambda action: str(action.failed_sends),
    "locked": lambda action: boolean(action.locked),
    "can": possible,
    "deliveries": lambda action: listed(f"{each.revision}:{name(each.state)}" for each in action.deliveries),
    "can_replay": lambda action: boolean(action.can_replay),
    "replays": lambda action: listed(f"{each.revision}:{name(each.state)}" for each in action.replays),
    "delivery": newest(lambda delivery: delivery.id),
    "attempts": newest(lambda delivery: str(delivery.attempts)),
    "sent_at": newest(lambda delivery: optional(delivery.sent_at, instant)),
    "next_attempt_at": newest(lambda delivery: optional(delivery.next_attempt_at, instant)),
    "may_have_been_delivered": newest(lambda delivery: boolean(delivery.may_have_been_delivered)),
    "holds_redacted": newest(lambda delivery: listed(delivery.holds_redacted)),
    "outcomes": newest(lambda delivery: listed(f"{each.number}:{each.outcome}" for each in delivery.last_attempts)),
}

OUTBOX = {
    "pending": lambda totals: str(totals.pending),
    "failed": lambda totals: str(totals.failed),
    "needs_person": lambda totals: str(totals.needs_person),
}

DUE = {
    "at": lambda due: optional(due.at, instant),
    "at_needs_unmetered": lambda due: optional(due.at_needs_unmetered, instant),
    "when_online": lambda due: optional(due.when_online, name),
    "needs_person": lambda due: boolean(due.needs_person),
}

ENDPOINT = {
    "enabled": lambda status: boolean(status.enabled),
    "disabled_reason": lambda status: status.disabled_reason,
    "pending": lambda status: str(status.pending),
}
