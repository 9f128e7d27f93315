"""Runs one of Python's Kafka clients as its tester says: JSON commands on stdin, one a line, answers on stdout.

Usage: driver.py CLIENT BOOTSTRAP, where CLIENT is a module beside this file with a class `Client`.
../client-driver.ts has the list of commands.
"""

import base64
import importlib
import itertools
import json
import sys
import threading
import time
import traceback


def encoded(value):
    return None if value is None else base64.b64encode(value).decode()


def decoded(value):
    return None if value is None else base64.b64decode(value)


def record_from_json(record):
    return {
        "key": decoded(record["key"]),
        "value": decoded(record["value"]),
        "headers": [(name, decoded(value)) for name, value in record["headers"]],
        "timestampMs": record["timestampMs"],
        "partition": record["partition"],
    }


def record_to_json(record):
    return {
        **record,
        "key": encoded(record["key"]),
        "value": encoded(record["value"]),
        "headers": [[name, encoded(value)] for name, value in record["headers"]],
    }


class Member(threading.Thread):
    """One member of a group, polled by a thread of its own, for no client's consumer likes to be shared."""

    def __init__(self, open_consumer):
        super().__init__(daemon=True)
        self._open_consumer = open_consumer
        self._leaves = threading.Event()
        self.values = []
        self.assignment = []
        self.failure = None
        self.start()

    def run(self):
        try:
            consumer = self._open_consumer()
            while not self._leaves.is_set():
                self.values += consumer.poll()
                self.assignment = sorted(consumer.assignment())
            consumer.close()
        except Exception:
            self.failure = traceback.format_exc()

    def leave(self):
        self._leaves.set()
        self.join(30)


class Stream(threading.Thread):
    """Produces "0", "1", "2" and so on until stopped, and remembers which were acknowledged."""

    def __init__(self, open_producer):
        super().__init__(daemon=True)
        self._open_producer = open_producer
        self._stops = threading.Event()
        self.acknowledged = []
        self.failure = None
        self.start()

    def run(self):
        try:
            producer = self._open_producer()
            for number in itertools.count():
                if self._stops.is_set():
                    break
                producer.send(str(number).encode(), lambda sent=str(number): self.acknowledged.append(sent))
                time.sleep(0.002)
            producer.close()
        except Exception:
            self.failure = traceback.format_exc()


class Driver:
    def __init__(self, client):
        self._client = client
        self._members = {}
        self._streams = {}

    def run(self, command, arguments):
        own = getattr(self, "_" + command, None)
        return own(**arguments) if own else getattr(self._client, command)(**arguments)

    def _produce(self, records, **options):
        return self._client.produce(records=[record_from_json(record) for record in records], **options)

    def _read(self, **options):
        return [record_to_json(record) for record in self._client.read(**options)]

    def _join(self, member, groupId, topic):
        self._members[member] = Member(lambda: self._client.consumer(groupId, topic))

    def _member(self, member):
        joined = self._members[member]
        if joined.failure:
            raise RuntimeError(joined.failure)
        values = [value.decode() for value in joined.values]
        return {"assignment": joined.assignment, "values": values}

    def _leave(self, member):
        self._members[member].leave()
        return self._member(member)

    def _startStream(self, stream, topic, idempotent):
        self._streams[stream] = Stream(lambda: self._client.producer(topic, idempotent))

    def _acknowledged(self, stream):
        started = self._streams[stream]
        if started.failure:
            raise RuntimeError(started.failure)
        return list(started.acknowledged)

    def _stopStream(self, stream):
        self._streams[stream]._stops.set()
        self._streams[stream].join(60)
        return self._acknowledged(stream)


def main():
    _, module, bootstrap = sys.argv
    # What a client prints must not come between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    driver = Driver(importlib.import_module(module).Client(bootstrap))
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            answer["result"] = driver.run(request["command"], request["arguments"])
        except Exception:
            answer["error"] = traceback.format_exc()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
