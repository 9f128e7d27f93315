"""kafka-python, 2.0.2 and 3.x."""

import kafka
import kafka.errors
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

WAIT_S = 30
CAN_IDEMPOTENCE = "enable_idempotence" in kafka.KafkaProducer.DEFAULT_CONFIG


class Client:
    def __init__(self, bootstrap):
        self._options = {
            "bootstrap_servers": bootstrap,
            "reconnect_backoff_ms": 50,
            "reconnect_backoff_max_ms": 300,
            "retry_backoff_ms": 50,
        }
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def version(self):
        return kafka.__version__

    def createTopic(self, topic, partitions, config):
        self._admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])

    def topics(self):
        return self._admin.list_topics()

    def partitionCount(self, topic):
        return len(self._admin.describe_topics([topic])[0]["partitions"])

    def deleteTopic(self, topic):
        self._admin.delete_topics([topic])

    def topicConfig(self, topic, name):
        asked = ConfigResource(ConfigResourceType.TOPIC, topic)
        answer = self._admin.describe_configs([asked])
        return config_value(answer, topic, name)

    def setTopicConfig(self, topic, name, value):
        self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})])

    def produce(self, topic, compression, idempotent, records):
        codec = None if compression == "none" else compression
        producer = self._producer({"compression_type": codec, "linger_ms": 200}, idempotent)
        sent = [
            producer.send(
                topic,
                value=record["value"],
                key=record["key"],
                headers=record["headers"],
                partition=record["partition"],
                timestamp_ms=record["timestampMs"],
            )
            for record in records
        ]
        producer.flush(WAIT_S)
        offsets = [future.get(WAIT_S).offset for future in sent]
        producer.close()
        return offsets

    def offsetForTime(self, topic, partition, timestampMs):
        consumer = self._consumer({})
        try:
            asked = kafka.TopicPartition(topic, partition)
            found = consumer.offsets_for_times({asked: timestampMs})[asked]
            return found.offset if found else -1
        finally:
            consumer.close()

    def read(self, topic, partition, offset, count):
        consumer = self._consumer({"consumer_timeout_ms": WAIT_S * 1000})
        try:
            assigned = kafka.TopicPartition(topic, partition)
            consumer.assign([assigned])
            consumer.seek(assigned, offset)
            records = []
            for record in consumer:
                records.append(described(record))
                if len(records) == count:
                    return records
            raise RuntimeError(f"only {len(records)} of {count} records came")
        finally:
            consumer.close()

    def consumer(self, groupId, topic):
        consumer = self._consumer(
            {
                "group_id": groupId,
                "session_timeout_ms": 6000,
                "heartbeat_interval_ms": 200,
                "auto_offset_reset": "earliest",
            }
        )
        consumer.subscribe([topic])
        return Subscribed(consumer)

    def producer(self, topic, idempotent):
        return Sender(self._producer({"linger_ms": 5}, idempotent), topic)

    def _producer(self, options, idempotent):
        if CAN_IDEMPOTENCE:
            options = {**options, "enable_idempotence": idempotent}
        return kafka.KafkaProducer(**self._options, acks="all", retries=1000, **options)

    def _consumer(self, options):
        return kafka.KafkaConsumer(**self._options, fetch_max_wait_ms=100, **options)


class Subscribed:
    def __init__(self, consumer):
        self._consumer = consumer

    def poll(self):
        # 3.0.12 drops an assignment that arrives in the moment in which a poll gives up: short polls meet it.
        try:
            polled = self._consumer.poll(timeout_ms=1000)
        except kafka.errors.KafkaError as error:
            # 3.0.12 lets a refused connection out of a poll that looks for the coordinator: polling again goes on.
            if not error.retriable:
                raise
            return []
        return [record.value for records in polled.values() for record in records]

    def assignment(self):
        return [assigned.partition for assigned in self._consumer.assignment()]

    def close(self):
        self._consumer.close()


class Sender:
    def __init__(self, producer, topic):
        self._producer = producer
        self._topic = topic

    def send(self, value, acknowledged):
        sent = self._producer.send(self._topic, value=value, partition=0)
        sent.add_callback(lambda _metadata: acknowledged())

    def close(self):
        self._producer.flush(WAIT_S)
        self._producer.close()


def config_value(answer, topic, name):
    if isinstance(answer, dict):
        return answer["topic"][topic][name]["value"]
    # Version 2 answers with the protocol's own message, one for each broker that it asked.
    for _error, _message, _type, _resource, entries in answer[0].resources:
        for entry in entries:
            if entry[0] == name:
                return entry[1]
    raise KeyError(name)


def described(record):
    return {
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": record.headers,
        "timestampMs": record.timestamp,
        "partition": record.partition,
    }
