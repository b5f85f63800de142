"""The bytes that the scenarios expect keep the promises of the wire, checked without the core: nobody pastes a wrong output unseen."""

import base64
import hashlib
import hmac
import json
import unittest

from test_scenarios import FILES

PROPERTIES = ["key", "started_at", "completed_at", "workflow", "fields"]
FIRST = ["content-type", "webhook-id", "webhook-timestamp"]


def requests(file):
    """Each expected request with the signing secrets that the phone held then, newest first."""
    secrets, signing = {}, {}
    for step in json.loads(file.read_text("utf-8"))["steps"]:
        if step["do"] == "secret":
            secrets[step["name"]] = [secret for secret in (step["current"], step.get("previous")) if secret]
        elif step["do"] == "endpoint" and "error" not in step:
            signing[step["url"]] = step.get("secret")
        for request in step.get("requests", []):
            name = signing[request["url"]]
            yield request, dict(line.split(": ", 1) for line in request["headers"]), secrets[name] if name else []


class Bytes(unittest.TestCase):
    def each(self):
        seen = 0
        for file in FILES:
            for request, headers, secrets in requests(file):
                seen += 1
                with self.subTest(file=file.name, id=headers["webhook-id"], attempt=headers["compass-attempt"]):
                    yield file, request["body"], headers, secrets
        self.assertGreater(seen, 20)

    def test_each_is_signed_with_every_secret_of_its_endpoint_and_with_no_other(self):
        for _, body, headers, secrets in self.each():
            content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
            keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
            digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
            expected = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
            self.assertEqual(headers.get("webhook-signature", ""), expected)

    def test_each_body_is_compact_and_has_the_five_properties_in_their_order(self):
        for _, body, headers, _ in self.each():
            # Numbers as they stand, so that a lost zero shows.
            read = json.loads(body, parse_int=Digits, parse_float=Digits)
            self.assertEqual(list(read), PROPERTIES)
            self.assertEqual(compact(read), body)
            self.assertEqual(list(headers)[:3], FIRST)
            self.assertEqual(headers["content-type"], "application/json; charset=utf-8")

    def test_an_id_stands_for_one_body_and_a_body_for_one_id(self):
        by_file = {}
        for file, body, headers, _ in self.each():
            self.assertRegex(headers["webhook-id"], r"^msg_[a-z2-7]{26}$")
            by_file.setdefault(file.name, set()).add((headers["webhook-id"], body))
        for name, pairs in by_file.items():
            with self.subTest(file=name):
                self.assertEqual(len({id for id, _ in pairs}), len(pairs))
                self.assertEqual(len({body for _, body in pairs}), len(pairs))


class Digits(str):
    """A number as it was written."""


def compact(value):
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(name)}:{compact(held)}" for name, held in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(held) for held in value) + "]"
    return json.dumps(value, ensure_ascii=False)

