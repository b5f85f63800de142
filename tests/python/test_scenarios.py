"""The scenarios of tests/fixtures/scenarios, which every language runs. Their format is described in the README there."""

import collections
import json
import pathlib
import threading

import scenario_paths
from compass import compass_core as model
from compass import compass_ffi as ffi
from compass import compass_ffi_testing as testing
from scenario_values import command, name, state_name, state_value, strict, value
from support import Case

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests/fixtures/scenarios").glob("*.json"))


class Wire(ffi.Transport):
    """Answers from one queue for each URL, and keeps what came."""

    def __init__(self):
        self.lock = threading.Lock()
        self.queues = collections.defaultdict(collections.deque)
        self.requests = []

    def send(self, request):
        with self.lock:
            self.requests.append(request)
            # Without an answer the request is still recorded, and the step that flushed tells of it.
            return self.queues[request.url].popleft() if self.queues[request.url] else failed("other", "resolve", "no")

    def cancel(self, id):
        pass

    def renew(self):
        pass


class Store(ffi.Secrets):
    def __init__(self):
        self.held = {}
        self.told = []

    def get(self, name, origin):
        current, previous, only, _ = self.held.get(name, (None, None, None, None))
        if current is None or only not in (None, origin):
            return model.SecretLookup.MISSING()
        return model.SecretLookup.FOUND(current, previous)

    def refused(self, name, origin):
        self.told.append(f"{name} {origin}")
        current, previous, only, renewed = self.held[name]
        self.held[name] = (renewed or current, previous, only, None)


def failed(kind, phase, request_sent):
    kinds = {
        "no_network": model.FailureKind.NO_NETWORK(),
        "dns": model.FailureKind.DNS(),
        "refused": model.FailureKind.REFUSED(),
        "timeout": model.FailureKind.TIMEOUT(),
        "closed": model.FailureKind.CLOSED(),
        "certificate": model.FailureKind.CERTIFICATE(False),
        "certificate_time": model.FailureKind.CERTIFICATE(True),
        "tls": model.FailureKind.TLS(),
        "protocol": model.FailureKind.PROTOCOL(),
        "other": model.FailureKind.OTHER(),
    }
    failure = model.TransportFailure(
        kind=kinds[kind], phase=model.Phase[phase.upper()], request_sent=model.RequestSent[request_sent.upper()], detail=""
    )
    return ffi.HttpOutcome.FAILED(failure)


def answer(given):
    if "failure" in given:
        [failure] = strict(given, "failure")
        return failed(*strict(failure, "kind phase request_sent"))
    status, headers = strict(given, "status", "headers")
    headers = [ffi.HttpHeader(name=name, value=value) for name, value in (headers or {}).items()]
    return ffi.HttpOutcome.ANSWERED(ffi.HttpResponse(status=status, headers=headers, body=b""))


def workflow_version(text):
    number, _, revision = text.partition(".")
    return model.WorkflowVersion(version=int(number), local_revision=int(revision or 0))


class Scenarios(Case):
    maxDiff = None

    def play(self, file):
        title, steps = strict(json.loads(file.read_text("utf-8")), "title steps")
        self.assertTrue(title and steps)
        self.wire, self.store, self.clock = Wire(), Store(), testing.ManualClock()
        self.core, self.session, self.seen = self.open(), None, 0
        for number, step in enumerate(steps, 1):
            try:
                self.step(step)
            except Exception as error:
                raise self.failureException(f"step {number}, {step['do']}: {error}") from error
        self.assertFalse(any(self.wire.queues.values()), "an answer was left over")
        self.assertEqual(len(self.wire.requests), self.seen, "a request came that no step names")
        self.assertEqual(self.store.told, [], "a refusal that no step names")
        self.assertEqual(self.core.check().faults, [])

    def open(self):
        return super().open(secrets=self.store, transport=self.wire, clock=self.clock)

    def step(self, step):
        members = {name: value for name, value in step.items() if name not in ("do", "error")}
        work = getattr(self, "do_" + step["do"])
        if "error" not in step:
            work(members)
            return
        code, place = strict(step["error"], "code place")
        with self.assertRaises(model.CoreError.Failed) as caught:
            work(members)
        self.assertEqual((caught.exception.code, caught.exception.place), (code, place))

    def applied(self, outcome, expected):
        self.assertEqual(name(outcome.applied), expected or "yes")

    def do_import(self, given):
        [document] = strict(given, "document")
        self.core.import_workflow((ROOT / document).read_bytes())

    def do_integration(self, given):
        self.core.set_integration_enabled(*strict(given, "enabled"))

    def do_endpoint(self, given):
        key, url, secret, headers, network = strict(given, "key url", "secret headers network")
        signing = model.Signing.STANDARD_WEBHOOKS(secret) if secret else model.Signing.NONE()
        network = model.NetworkPolicy[(network or "any").upper()]
        headers = [self.header(*strict(header, "name", "value secret")) for header in headers or []]
        self.core.put_endpoint(model.Endpoint(key=key, url=url, signing=signing, headers=headers, network=network))

    def header(self, name, value, secret):
        held = model.HeaderValue.PLAIN(value) if secret is None else model.HeaderValue.SECRET(secret)
        return model.EndpointHeader(name=name, value=held)

    def do_enable_endpoint(self, given):
        self.core.set_endpoint_enabled(*strict(given, "key enabled"))

    def do_secret(self, given):
        name, *held = strict(given, "name current", "previous origin renewed")
        self.store.held[name] = held
        self.core.secrets_changed()

    def do_refused(self, given):
        self.assertEqual(self.store.told, *strict(given, "secrets"))
        self.store.told = []

    def do_start(self, given):
        workflow, command_id, version, actor, prefill, applied = strict(given, "workflow command_id", "version actor prefill applied")
        prefill = [strict(each, "field value source") for each in prefill or []]
        start = model.Start(
            command_id=command_id,
            workflow=workflow,
            version=workflow_version(version) if version else None,
            actor=actor,
            prefill=[model.Prefill(field=field, value=value(held), source=source) for field, held, source in prefill],
        )
        outcome = self.core.start(start)
        self.session = outcome.view.key
        self.applied(outcome, applied)

    def do_run(self, given):
        commands, actor, command_id, applied = strict(given, "commands", "actor command_id applied")
        self.applied(self.core.run(self.session, actor, [command(each) for each in commands], command_id), applied)

    def do_draft(self, given):
        self.core.save_draft(self.session, *strict(given, "field text"))

    def do_parse(self, given):
        workflow, field, text, state, held = strict(given, "workflow field text", "state value")
        fields = {definition.key: definition for definition in self.core.workflow(workflow, None).fields}
        parsed = ffi.parse_value(fields[field], text)
        self.assertEqual((state_name(parsed), state_value(parsed)), (state, held))

    def do_connectivity(self, given):
        state, validated, metered, network = strict(given, "state", "validated metered network")
        known = {
            "unknown": model.Connectivity.UNKNOWN(),
            "offline": model.Connectivity.OFFLINE(),
            "online": model.Connectivity.ONLINE(validated, bool(metered), network),
        }
        self.core.set_connectivity(known[state])

    def do_advance(self, given):
        self.clock.advance(*strict(given, "ms"))

    def do_answers(self, given):
        url, answers = strict(given, "url with")
        with self.wire.lock:
            self.wire.queues[url].extend(answer(each) for each in answers)

    def do_flush(self, given):
        requests, report = strict(given, "requests", "report")
        flushed = self.core.flush(60_000, ffi.Cancel())
        for member, expected in (report or {}).items():
            held = getattr(flushed, member)
            self.assertEqual(name(held) if member == "end" else held, expected, member)
        new = self.wire.requests[self.seen :]
        self.seen += len(new)
        came = [
            {
                "url": request.url,
                "headers": [f"{header.name}: {header.value}" for header in request.headers],
                "body": request.body.decode(),
            }
            for request in sorted(new, key=lambda request: request.url)
        ]
        self.assertEqual(came, requests)

    def do_send(self, given):
        action, command_id, actor, applied = strict(given, "action command_id", "actor applied")
        self.applied(self.core.send(self.session, action, actor, command_id), applied)

    def do_send_corrected(self, given):
        action, command_id, actor, applied = strict(given, "action command_id", "actor applied")
        self.applied(self.core.send_corrected(self.session, action, actor, command_id), applied)

    def do_replay(self, given):
        action, command_id, actor, applied = strict(given, "action command_id", "actor applied")
        self.applied(self.core.replay(self.session, action, actor, command_id), applied)

    def do_replay_session(self, given):
        command_id, actor, applied = strict(given, "command_id", "actor applied")
        self.applied(self.core.replay_session(self.session, actor, command_id), applied)

    def do_replay_sent(self, given):
        endpoint, replayed, actor, body_dropped = strict(given, "endpoint replayed", "actor body_dropped")
        report = self.core.replay_sent(model.ReplayFilter(endpoint=endpoint), actor, None)
        expected = model.ReplayReport(replayed=replayed, body_dropped=body_dropped or 0, left=0, next=None)
        self.assertEqual(report, expected)

    def do_abandon(self, given):
        action, command_id, actor, reason, applied = strict(given, "action command_id actor reason", "applied")
        self.applied(self.core.abandon(self.session, action, actor, reason, command_id), applied)

    def do_abandon_session(self, given):
        command_id, actor, reason, applied = strict(given, "command_id actor reason", "applied")
        self.applied(self.core.abandon_session(self.session, actor, reason, command_id), applied)

    def do_redact(self, given):
        names = "command_id actor reason pending bodies"
        *call, field, note, applied, holding, erased = strict(given, names, "field note applied holding erased")
        command_id, actor, reason, pending, bodies = call
        self.assertNotEqual(field is None, note is None, "a field or a note")
        target = model.RedactionTarget.NOTE(note) if field is None else model.RedactionTarget.FIELD(field)
        redaction = model.Redaction(
            command_id=command_id,
            target=target,
            actor=actor,
            reason=reason,
            pending=model.RedactPending[pending.upper()],
            bodies=model.RedactBodies[bodies.upper()],
        )
        outcome = self.core.redact(self.session, redaction)
        self.applied(outcome, applied)
        self.assertEqual(len(outcome.bodies), holding or 0)
        self.assertEqual(name(outcome.erased), erased or "now")

    def do_purge(self, given):
        older_than_ms, sessions = strict(given, "older_than_ms sessions")
        self.assertEqual(self.core.purge(older_than_ms).purged, sessions)

    def do_reopen(self, given):
        strict(given)
        self.core.shut_down()
        self.core = self.open()

    def do_expect(self, given):
        [paths] = strict(given, "paths")
        read = {path: scenario_paths.read(self.core, self.session, path) for path in paths}
        self.assertEqual(read, paths)


def scenario(file):
    return lambda self: self.play(file)


for file in FILES:
    setattr(Scenarios, "test_" + file.stem.replace("-", "_"), scenario(file))
if not FILES:
    raise RuntimeError("there is no scenario")
