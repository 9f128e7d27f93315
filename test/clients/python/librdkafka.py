"""librdkafka by confluent-kafka, 1.5 to 2.x."""

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

WAIT_S = 30


class Client:
    def __init__(self, bootstrap):
        # Its own patience after a lost connection is ten seconds.
        self._options = {
            "bootstrap.servers": bootstrap,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 300,
            "topic.metadata.refresh.fast.interval.ms": 50,
        }
        self._admin = AdminClient(self._options)

    def version(self):
        return f"{kafka.libversion()[0]} (confluent-kafka {kafka.__version__})"

    def createTopic(self, topic, partitions, config):
        created = self._admin.create_topics([NewTopic(topic, partitions, 1, config=config)])
        created[topic].result(WAIT_S)

    def topics(self):
        return list(self._admin.list_topics(timeout=WAIT_S).topics)

    def partitionCount(self, topic):
        return len(self._admin.list_topics(topic, timeout=WAIT_S).topics[topic].partitions)

    def deleteTopic(self, topic):
        self._admin.delete_topics([topic])[topic].result(WAIT_S)

    def topicConfig(self, topic, name):
        resource = ConfigResource("topic", topic)
        configs = self._admin.describe_configs([resource])[resource].result(WAIT_S)
        return configs[name].value

    def setTopicConfig(self, topic, name, value):
        resource = ConfigResource("topic", topic, set_config={name: value})
        self._admin.alter_configs([resource])[resource].result(WAIT_S)

    def produce(self, topic, compression, idempotent, records):
        producer = self._producer({"compression.type": compression, "linger.ms": 200, "enable.idempotence": idempotent})
        offsets = [None] * len(records)

        def remember(index):
            def delivered(error, message):
                if error is None:
                    offsets[index] = message.offset()

            return delivered

        for index, record in enumerate(records):
            producer.produce(
                topic,
                value=record["value"],
                key=record["key"],
                partition=record["partition"],
                timestamp=record["timestampMs"],
                headers=record["headers"],
                on_delivery=remember(index),
            )
        producer.flush(WAIT_S)
        return offsets

    def offsetForTime(self, topic, partition, timestampMs):
        consumer = self._consumer({"group.id": "none"})
        try:
            asked = kafka.TopicPartition(topic, partition, timestampMs)
            return consumer.offsets_for_times([asked], timeout=WAIT_S)[0].offset
        finally:
            consumer.close()

    def read(self, topic, partition, offset, count):
        consumer = self._consumer({"group.id": "none", "enable.auto.commit": False})
        try:
            consumer.assign([kafka.TopicPartition(topic, partition, offset)])
            messages = []
            while len(messages) < count:
                taken = consumer.consume(count - len(messages), timeout=WAIT_S)
                if not taken:
                    raise RuntimeError(f"only {len(messages)} of {count} records came")
                messages += [checked(message) for message in taken]
            return [described(message) for message in messages]
        finally:
            consumer.close()

    def consumer(self, groupId, topic):
        consumer = self._consumer(
            {
                "group.id": groupId,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 200,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([topic])
        return Subscribed(consumer)

    def producer(self, topic, idempotent):
        return Sender(self._producer({"enable.idempotence": idempotent, "retry.backoff.ms": 50}), topic)

    def _producer(self, options):
        return kafka.Producer({**self._options, **options})

    def _consumer(self, options):
        return kafka.Consumer({**self._options, "fetch.wait.max.ms": 100, **options})


class Subscribed:
    def __init__(self, consumer):
        self._consumer = consumer

    def poll(self):
        messages = self._consumer.consume(500, timeout=0.1)
        return [message.value() for message in messages if message.error() is None]

    def assignment(self):
        return [assigned.partition for assigned in self._consumer.assignment()]

    def close(self):
        self._consumer.close()


class Sender:
    def __init__(self, producer, topic):
        self._producer = producer
        self._topic = topic

    def send(self, value, acknowledged):
        def delivered(error, _message):
            if error is None:
                acknowledged()

        self._producer.produce(self._topic, value=value, partition=0, on_delivery=delivered)
        self._producer.poll(0)

    def close(self):
        self._producer.flush(WAIT_S)


def checked(message):
    if message.error():
        raise kafka.KafkaException(message.error())
    return message


def described(message):
    return {
        "offset": message.offset(),
        "key": message.key(),
        "value": message.value(),
        "headers": message.headers() or [],
        "timestampMs": message.timestamp()[1],
        "partition": message.partition(),
    }
