"""aiokafka, its coroutines run on one event loop in a thread of its own."""

import asyncio
import threading

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

WAIT_S = 30

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def run(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(WAIT_S * 2)


class Client:
    def __init__(self, bootstrap):
        self._options = {"bootstrap_servers": bootstrap, "retry_backoff_ms": 50}

    def version(self):
        return aiokafka.__version__

    def createTopic(self, topic, partitions, config):
        created = NewTopic(topic, partitions, 1, topic_configs=config)
        answer = self._administer(lambda admin: admin.create_topics([created]))
        for _topic, code, *message in answer.topic_errors:
            if code != 0:
                raise for_code(code)(message)

    def topics(self):
        return self._administer(lambda admin: admin.list_topics())

    def partitionCount(self, topic):
        return len(self._administer(lambda admin: admin.describe_topics([topic]))[0]["partitions"])

    def deleteTopic(self, topic):
        self._administer(lambda admin: admin.delete_topics([topic]))

    def topicConfig(self, topic, name):
        asked = ConfigResource(ConfigResourceType.TOPIC, topic)
        answer = self._administer(lambda admin: admin.describe_configs([asked]))
        for _error, _message, _type, _resource, entries in answer[0].resources:
            for entry in entries:
                if entry[0] == name:
                    return entry[1]
        raise KeyError(name)

    def setTopicConfig(self, topic, name, value):
        changed = ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})
        self._administer(lambda admin: admin.alter_configs([changed]))

    def produce(self, topic, compression, idempotent, records):
        return run(self._produce(topic, compression, idempotent, records))

    async def _produce(self, topic, compression, idempotent, records):
        codec = None if compression == "none" else compression
        async with aiokafka.AIOKafkaProducer(
            **self._options, compression_type=codec, linger_ms=200, enable_idempotence=idempotent
        ) as producer:
            sent = [
                await producer.send(
                    topic,
                    value=record["value"],
                    key=record["key"],
                    headers=record["headers"],
                    partition=record["partition"],
                    timestamp_ms=record["timestampMs"],
                )
                for record in records
            ]
            return [(await future).offset for future in sent]

    def offsetForTime(self, topic, partition, timestampMs):
        async def ask():
            asked = aiokafka.TopicPartition(topic, partition)
            async with self._consumer() as consumer:
                consumer.assign([asked])
                found = (await consumer.offsets_for_times({asked: timestampMs}))[asked]
                return found.offset if found else -1

        return run(ask())

    def read(self, topic, partition, offset, count):
        async def read():
            assigned = aiokafka.TopicPartition(topic, partition)
            async with self._consumer() as consumer:
                consumer.assign([assigned])
                consumer.seek(assigned, offset)
                return [described(await asyncio.wait_for(consumer.getone(), WAIT_S)) for _ in range(count)]

        return run(read())

    def consumer(self, groupId, topic):
        async def start():
            consumer = self._consumer(
                topic,
                group_id=groupId,
                session_timeout_ms=6000,
                heartbeat_interval_ms=200,
                auto_offset_reset="earliest",
            )
            await consumer.start()
            return consumer

        return Subscribed(run(start()))

    def producer(self, topic, idempotent):
        async def start():
            producer = aiokafka.AIOKafkaProducer(**self._options, acks="all", enable_idempotence=idempotent)
            await producer.start()
            return producer

        return Sender(run(start()), topic)

    def _consumer(self, *topics, **options):
        return aiokafka.AIOKafkaConsumer(*topics, **self._options, fetch_max_wait_ms=100, **options)

    def _administer(self, action):
        async def act():
            admin = AIOKafkaAdminClient(**self._options)
            await admin.start()
            try:
                return await action(admin)
            finally:
                await admin.close()

        return run(act())


class Subscribed:
    def __init__(self, consumer):
        self._consumer = consumer

    def poll(self):
        polled = run(self._consumer.getmany(timeout_ms=100))
        return [record.value for records in polled.values() for record in records]

    def assignment(self):
        return [assigned.partition for assigned in self._consumer.assignment()]

    def close(self):
        run(self._consumer.stop())


class Sender:
    def __init__(self, producer, topic):
        self._producer = producer
        self._topic = topic

    def send(self, value, acknowledged):
        def delivered(future):
            if not future.cancelled() and future.exception() is None:
                acknowledged()

        run(self._producer.send(self._topic, value=value, partition=0)).add_done_callback(delivered)

    def close(self):
        run(self._producer.stop())


def described(record):
    return {
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": list(record.headers),
        "timestampMs": record.timestamp,
        "partition": record.partition,
    }
