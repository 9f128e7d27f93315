"""Load by librdkafka: one idempotent producer with keys, and members of a group that commit.

Usage: load.py BOOTSTRAP TOPIC WRITER GROUP MEMBERS PARTITIONS KEYS BYTES. Events as JSON arrays on stdout, one a line:
a key sequence partition offset: acknowledged, offset null where the library does not know it · u key sequence reason:
given up · r partition offset value: read · c partition offset: committed · f text: the client says that the broker has
broken a promise · w: all written.
On stdin: "stop" ends the writer, "stacks" writes where all threads are to stderr, "close" ends the program.
What the library says of its groups goes to stderr too.
"""

import faulthandler
import json
import sys
import threading
import time

import confluent_kafka as kafka

BOOTSTRAP, TOPIC, WRITER, GROUP = sys.argv[1:5]
MEMBERS, PARTITIONS, KEYS, BYTES = map(int, sys.argv[5:9])
OPTIONS = {
    "bootstrap.servers": BOOTSTRAP,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 300,
    "socket.timeout.ms": 5000,
    "topic.metadata.refresh.fast.interval.ms": 50,
}
COMMIT_EVERY_S = 0.3
# Longer than the library tries.
COMMIT_LOST_S = 40
stops_writing = threading.Event()
closes = threading.Event()
output = threading.Lock()


def tell(*event):
    with output:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def write():
    failures = []

    def on_error(error):
        if error.fatal():
            failures.append(error)
            tell("f", f"{WRITER}: {error}")

    producer = kafka.Producer(
        {
            **OPTIONS,
            "enable.idempotence": True,
            "linger.ms": 5,
            # What has gathered while nobody answered must fit into small journals too: a batch that is refused leaves a
            # gap, for which the library begins a new epoch and sends again what may be there already.
            "batch.size": 200000,
            "retry.backoff.ms": 50,
            "message.timeout.ms": 300000,
            "error_cb": on_error,
            "debug": "eos",
        }
    )

    def delivered(key, sequence):
        def tell_of(error, message):
            if error is None:
                tell("a", key, sequence, message.partition(), message.offset())
            else:
                tell("u", key, sequence, str(error))

        return tell_of

    sequence = 0
    while not stops_writing.is_set() and not failures:
        for index in range(KEYS):
            key = f"{WRITER}-{index}"
            value = f"{key}:{sequence}|".ljust(BYTES, "x")
            try:
                producer.produce(
                    TOPIC, key=key, value=value, partition=index % PARTITIONS, on_delivery=delivered(key, sequence)
                )
            except BufferError as full:
                tell("u", key, sequence, str(full))
        sequence += 1
        # What waits is bounded: writing goes on as it is acknowledged.
        producer.poll(0.03)
        while len(producer) > 500 and not stops_writing.is_set() and not failures:
            producer.poll(0.1)
    producer.flush(120)
    tell("w")


class Committer:
    """Commits now and then, one commit at a time: a later one that overtakes it would seem to go back.

    Never waits: a commit of this library that does may wait for ever (confluent-kafka-python issue 1801).
    """

    def __init__(self):
        self.begun_s = time.monotonic()
        self.is_open = False

    def answered(self, error, partitions):
        self.is_open = False
        for partition in partitions if error is None else []:
            if partition.error is None:
                tell("c", partition.partition, partition.offset)

    def commit(self, consumer):
        silent_s = time.monotonic() - self.begun_s
        if silent_s < (COMMIT_LOST_S if self.is_open else COMMIT_EVERY_S):
            return
        self.begun_s = time.monotonic()
        try:
            consumer.commit(asynchronous=True)
            self.is_open = True
        except kafka.KafkaException:
            # Nothing new to commit, or a rebalance under way: the next one tells.
            pass


def read():
    committer = Committer()
    consumer = kafka.Consumer(
        {
            **OPTIONS,
            "group.id": GROUP,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 300,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "on_commit": committer.answered,
            "fetch.wait.max.ms": 100,
            "debug": "cgrp",
        }
    )
    consumer.subscribe([TOPIC])
    while not closes.is_set():
        for message in consumer.consume(200, timeout=0.1):
            if message.error() is None:
                tell("r", message.partition(), message.offset(), message.value().decode().split("|")[0])
        committer.commit(consumer)
    consumer.close()


def mourn(ended):
    tell("f", f"a thread ended: {ended.exc_type.__name__}: {ended.exc_value}")


threading.excepthook = mourn
threads = [threading.Thread(target=read, daemon=True) for _ in range(MEMBERS)]
threads.append(threading.Thread(target=write, daemon=True))
for thread in threads:
    thread.start()
for line in sys.stdin:
    if line.strip() == "stop":
        stops_writing.set()
    if line.strip() == "stacks":
        faulthandler.dump_traceback(all_threads=True)
    if line.strip() == "close":
        break
closes.set()
for thread in threads[:-1]:
    thread.join(30)
