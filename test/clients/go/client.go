package main

import "time"

// Record is one record as the tester writes it; []byte is base64 in JSON, nil is null.
type Record struct {
	Offset      int64    `json:"offset"`
	Partition   int32    `json:"partition"`
	Key         []byte   `json:"key"`
	Value       []byte   `json:"value"`
	Headers     []Header `json:"headers"`
	TimestampMs int64    `json:"timestampMs"`
}

// Client is one of Go's Kafka clients, with what every one of them can do.
type Client interface {
	CreateTopic(topic string, partitions int, config map[string]string) error
	Topics() ([]string, error)
	PartitionCount(topic string) (int, error)
	DeleteTopic(topic string) error
	TopicConfig(topic, name string) (string, error)
	SetTopicConfig(topic, name, value string) error

	// Produce answers the offset of each record, -1 where the client does not tell it.
	Produce(topic, compression string, idempotent bool, records []Record) ([]int64, error)
	OffsetForTime(topic string, partition int32, timestampMs int64) (int64, error)
	Read(topic string, partition int32, offset int64, count int) ([]Record, error)

	// Consumer joins a group and goes on until its sink says that it is over.
	Consumer(groupID, topic string, sink *Member) error
	Producer(topic string, idempotent bool) (Sender, error)
}

// Sender produces to partition 0.
type Sender interface {
	// Send calls acknowledged once the broker has the value, and not at all when it gives up.
	Send(value string, acknowledged func())
	// Close waits for all that was sent.
	Close()
}

const wait = 60 * time.Second
