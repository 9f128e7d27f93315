package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

type saramaClient struct {
	bootstrap string
	admin     sarama.ClusterAdmin
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Metadata.Retry.Max = 100
	return config
}

func openSarama(bootstrap string) (Client, error) {
	admin, err := sarama.NewClusterAdmin([]string{bootstrap}, saramaConfig())
	return &saramaClient{bootstrap, admin}, err
}

func (s *saramaClient) CreateTopic(topic string, partitions int, config map[string]string) error {
	entries := map[string]*string{}
	for name, value := range config {
		entries[name] = &value
	}
	detail := &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1, ConfigEntries: entries}
	return s.admin.CreateTopic(topic, detail, false)
}

func (s *saramaClient) Topics() ([]string, error) {
	topics, err := s.admin.ListTopics()
	names := []string{}
	for name := range topics {
		names = append(names, name)
	}
	return names, err
}

func (s *saramaClient) PartitionCount(topic string) (int, error) {
	described, err := s.admin.DescribeTopics([]string{topic})
	if err != nil {
		return 0, err
	}
	return len(described[0].Partitions), nil
}

func (s *saramaClient) DeleteTopic(topic string) error {
	return s.admin.DeleteTopic(topic)
}

func (s *saramaClient) TopicConfig(topic, name string) (string, error) {
	entries, err := s.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if entry.Name == name {
			return entry.Value, nil
		}
	}
	return "", errors.New("no such config")
}

func (s *saramaClient) SetTopicConfig(topic, name, value string) error {
	change := map[string]sarama.IncrementalAlterConfigsEntry{
		name: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}
	return s.admin.IncrementalAlterConfig(sarama.TopicResource, topic, change, false)
}

func (s *saramaClient) producer(compression string, idempotent bool) *sarama.Config {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config := saramaConfig()
	config.Producer.Compression = codecs[compression]
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Retry.Max = 200
	config.Producer.Idempotent = idempotent
	if idempotent {
		config.Net.MaxOpenRequests = 1
	}
	return config
}

func (s *saramaClient) Produce(topic, compression string, idempotent bool, records []Record) ([]int64, error) {
	config := s.producer(compression, idempotent)
	config.Producer.Flush.Frequency = 200 * time.Millisecond
	producer, err := sarama.NewSyncProducer([]string{s.bootstrap}, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, record := range records {
		messages[i] = &sarama.ProducerMessage{
			Topic: topic, Partition: record.Partition, Timestamp: time.UnixMilli(record.TimestampMs),
		}
		if record.Key != nil {
			messages[i].Key = sarama.ByteEncoder(record.Key)
		}
		if record.Value != nil {
			messages[i].Value = sarama.ByteEncoder(record.Value)
		}
		for _, header := range record.Headers {
			named := sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value}
			messages[i].Headers = append(messages[i].Headers, named)
		}
	}
	if err := producer.SendMessages(messages); err != nil {
		return nil, err
	}
	offsets := make([]int64, len(records))
	for i, message := range messages {
		offsets[i] = message.Offset
	}
	return offsets, nil
}

func (s *saramaClient) OffsetForTime(topic string, partition int32, timestampMs int64) (int64, error) {
	client, err := sarama.NewClient([]string{s.bootstrap}, saramaConfig())
	if err != nil {
		return 0, err
	}
	defer client.Close()
	return client.GetOffset(topic, partition, timestampMs)
}

func (s *saramaClient) Read(topic string, partition int32, offset int64, count int) ([]Record, error) {
	consumer, err := sarama.NewConsumer([]string{s.bootstrap}, saramaConfig())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, partition, offset)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	records := []Record{}
	deadline := time.After(wait)
	for len(records) < count {
		select {
		case message := <-reader.Messages():
			read := Record{
				Offset: message.Offset, Partition: message.Partition, Key: message.Key, Value: message.Value,
				TimestampMs: message.Timestamp.UnixMilli(), Headers: []Header{},
			}
			for _, header := range message.Headers {
				read.Headers = append(read.Headers, Header{string(header.Key), header.Value})
			}
			records = append(records, read)
		case <-deadline:
			return nil, errors.New("the records did not come")
		}
	}
	return records, nil
}

type saramaMember struct{ sink *Member }

func (m saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	for _, partitions := range session.Claims() {
		m.sink.Assigned(partitions)
	}
	return nil
}

func (m saramaMember) Cleanup(sarama.ConsumerGroupSession) error {
	m.sink.Assigned(nil)
	return nil
}

func (m saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.sink.Took(message.Value)
		session.MarkMessage(message, "")
	}
	return nil
}

func (s *saramaClient) Consumer(groupID, topic string, sink *Member) error {
	config := saramaConfig()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	group, err := sarama.NewConsumerGroup([]string{s.bootstrap}, groupID, config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-sink.leaves
		cancel()
	}()
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{topic}, saramaMember{sink}); err != nil && ctx.Err() == nil {
			group.Close()
			return err
		}
	}
	return group.Close()
}

type saramaSender struct {
	producer sarama.AsyncProducer
	topic    string
	answers  sync.WaitGroup
}

func (s *saramaClient) Producer(topic string, idempotent bool) (Sender, error) {
	producer, err := sarama.NewAsyncProducer([]string{s.bootstrap}, s.producer("none", idempotent))
	if err != nil {
		return nil, err
	}
	sender := &saramaSender{producer: producer, topic: topic}
	sender.answers.Go(func() {
		for message := range producer.Successes() {
			message.Metadata.(func())()
		}
	})
	sender.answers.Go(func() {
		for range producer.Errors() {
		}
	})
	return sender, nil
}

func (s *saramaSender) Send(value string, acknowledged func()) {
	s.producer.Input() <- &sarama.ProducerMessage{
		Topic: s.topic, Value: sarama.StringEncoder(value), Metadata: acknowledged,
	}
}

func (s *saramaSender) Close() {
	s.producer.AsyncClose()
	s.answers.Wait()
}
