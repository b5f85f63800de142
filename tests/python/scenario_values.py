"""Commands and values of a scenario as Python's records, and Python's records as the texts that a scenario expects."""

from compass import compass_core as model
from datetime import datetime, timezone


def strict(given, required="", optional=""):
    """The members of an object of a scenario; an unknown or a missing one is an error. Optional ones that are absent are None."""
    required, optional = required.split(), optional.split()
    unknown = set(given) - set(required) - set(optional)
    missing = set(required) - set(given)
    if unknown or missing:
        raise ValueError(f"unknown members {sorted(unknown)}, missing members {sorted(missing)} in {given}")
    return [given.get(name) for name in required + optional]


def command(given):
    kind = given["command"]
    rest = {name: value for name, value in given.items() if name != "command"}
    if kind == "set_fields":
        [changes] = strict(rest, "changes")
        return model.Command.SET_FIELDS(changes=[change(each) for each in changes])
    if kind == "edit":
        command_id, fields, notes, reason = strict(rest, "command_id fields notes", "reason")
        notes = [model.NoteChange(**dict(zip(("note", "text"), strict(note, "note text")))) for note in notes]
        return model.Command.EDIT(command_id=command_id, fields=[change(each) for each in fields], notes=notes, reason=reason)
    plain = {
        "answer": (model.Command.ANSWER, "visit answer"),
        "back": (model.Command.BACK, "visit to_visit"),
        "use_response": (model.Command.USE_RESPONSE, "command_id response"),
        "note": (model.Command.NOTE, "command_id text"),
        "complete": (model.Command.COMPLETE, "visit"),
        "end": (model.Command.END, "command_id reason"),
        "discard": (model.Command.DISCARD, ""),
    }
    variant, members = plain[kind]
    return variant(*strict(rest, members))


def change(given):
    field, to = strict(given, "field change")
    kind = to["to"]
    if kind == "set":
        _, held = strict(to, "to value")
        return model.FieldChange(field=field, change=model.Change.SET(value(held)))
    strict(to, "to")
    return model.FieldChange(field=field, change={"clear": model.Change.CLEAR, "not_applicable": model.Change.NOT_APPLICABLE}[kind]())


def value(given):
    kind, held = strict(given, "type value")
    if kind == "location":
        latitude, longitude, captured_at, accuracy_m = strict(held, "latitude longitude captured_at", "accuracy_m")
        moment = datetime.fromisoformat(captured_at.replace("Z", "+00:00"))
        place = model.Location(latitude=latitude, longitude=longitude, accuracy_m=accuracy_m, captured_at=moment)
        return model.FieldValue.LOCATION(place)
    if kind == "file":
        sha256, media_type, size, name = strict(held, "sha256 media_type size name")
        return model.FieldValue.FILE(model.FileManifest(sha256=sha256, media_type=media_type, size=size, name=name))
    return {
        "text": model.FieldValue.TEXT,
        "integer": model.FieldValue.INTEGER,
        "decimal": model.FieldValue.DECIMAL,
        "boolean": model.FieldValue.BOOLEAN,
        "date": model.FieldValue.DATE,
        "time": model.FieldValue.TIME,
        "date_time": model.FieldValue.DATE_TIME,
        "choice": model.FieldValue.CHOICE,
        "choices": model.FieldValue.CHOICES,
    }[kind](held)


def instant(moment):
    moment = moment.astimezone(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def name(member):
    """An enum without data in snake_case."""
    return member.name.lower()


def boolean(yes):
    return "true" if yes else "false"


def optional(held, write=str):
    return None if held is None else write(held)


def listed(items):
    return ",".join(str(item) for item in items)


def state_name(state):
    for kind in ("not_provided", "provided", "empty", "not_applicable", "redacted"):
        if getattr(state, f"is_{kind.upper()}")():
            return kind
    raise ValueError("a state that the scenarios do not know")


def state_value(state):
    return value_text(state[0]) if state.is_PROVIDED() else None


def value_text(held):
    """Dates and times are texts in Python, so they show as the core writes them."""
    inner = held[0]
    if held.is_BOOLEAN():
        return boolean(inner)
    if held.is_CHOICES():
        return listed(inner)
    if held.is_LOCATION():
        return f"{inner.latitude} {inner.longitude} {inner.accuracy_m or '-'} {instant(inner.captured_at)}"
    if held.is_FILE():
        return f"{inner.sha256} {inner.media_type} {inner.size} {inner.name}"
    return str(inner)


def source(held):
    return "technician" if held.is_TECHNICIAN() else f"prefill:{held[0]}"


def version(workflow):
    revision = f".{workflow.local_revision}" if workflow.local_revision else ""
    return f"{workflow.key}@{workflow.version}{revision}"
