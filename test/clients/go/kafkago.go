package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

type kafkaGo struct {
	bootstrap string
	client    *kafka.Client
}

func openKafkaGo(bootstrap string) Client {
	return &kafkaGo{bootstrap, &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: wait}}
}

func (k *kafkaGo) CreateTopic(topic string, partitions int, config map[string]string) error {
	created := kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}
	for name, value := range config {
		created.ConfigEntries = append(created.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	request := &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{created}}
	answer, err := k.client.CreateTopics(context.Background(), request)
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (k *kafkaGo) Topics() ([]string, error) {
	answer, err := k.client.Metadata(context.Background(), &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, topic := range answer.Topics {
		names = append(names, topic.Name)
	}
	return names, nil
}

func (k *kafkaGo) PartitionCount(topic string) (int, error) {
	answer, err := k.client.Metadata(context.Background(), &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	return len(answer.Topics[0].Partitions), answer.Topics[0].Error
}

func (k *kafkaGo) DeleteTopic(topic string) error {
	answer, err := k.client.DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (k *kafkaGo) TopicConfig(topic, name string) (string, error) {
	asked := kafka.DescribeConfigRequestResource{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name},
	}
	request := &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{asked}}
	answer, err := k.client.DescribeConfigs(context.Background(), request)
	if err != nil {
		return "", err
	}
	return answer.Resources[0].ConfigEntries[0].ConfigValue, answer.Resources[0].Error
}

func (k *kafkaGo) SetTopicConfig(topic, name, value string) error {
	change := kafka.IncrementalAlterConfigsRequestConfig{
		Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet,
	}
	resource := kafka.IncrementalAlterConfigsRequestResource{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{change},
	}
	request := &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{resource}}
	answer, err := k.client.IncrementalAlterConfigs(context.Background(), request)
	if err != nil {
		return err
	}
	return answer.Resources[0].Error
}

// byPartition sends a message where the tester wants it: a Writer has no other way to be told.
func byPartition(message kafka.Message, _ ...int) int { return message.WriterData.(int) }

// Produce cannot tell offsets: a Writer leaves them out.
func (k *kafkaGo) Produce(topic, compression string, _ bool, records []Record) ([]int64, error) {
	codecs := map[string]kafka.Compression{
		"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
	writer := &kafka.Writer{
		Addr: kafka.TCP(k.bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll,
		Compression: codecs[compression], BatchTimeout: 200 * time.Millisecond, BatchSize: 10_000,
		Balancer: kafka.BalancerFunc(byPartition),
	}
	defer writer.Close()
	messages := make([]kafka.Message, len(records))
	offsets := make([]int64, len(records))
	for i, record := range records {
		messages[i] = kafka.Message{
			Key: record.Key, Value: record.Value, Time: time.UnixMilli(record.TimestampMs),
			WriterData: int(record.Partition),
		}
		for _, header := range record.Headers {
			messages[i].Headers = append(messages[i].Headers, kafka.Header{Key: header.Name, Value: header.Value})
		}
		offsets[i] = -1
	}
	return offsets, writer.WriteMessages(context.Background(), messages...)
}

func (k *kafkaGo) OffsetForTime(topic string, partition int32, timestampMs int64) (int64, error) {
	connection, err := kafka.DialLeader(context.Background(), "tcp", k.bootstrap, topic, int(partition))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	return connection.ReadOffset(time.UnixMilli(timestampMs))
}

func (k *kafkaGo) Read(topic string, partition int32, offset int64, count int) ([]Record, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{k.bootstrap}, Topic: topic, Partition: int(partition), MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	if err := reader.SetOffset(offset); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	records := []Record{}
	for len(records) < count {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		read := Record{
			Offset: message.Offset, Partition: int32(message.Partition), Key: message.Key, Value: message.Value,
			TimestampMs: message.Time.UnixMilli(), Headers: []Header{},
		}
		for _, header := range message.Headers {
			read.Headers = append(read.Headers, Header{header.Key, header.Value})
		}
		records = append(records, read)
	}
	return records, nil
}

// Consumer works by generations, the part of kafka-go that tells its assignment.
func (k *kafkaGo) Consumer(groupID, topic string, sink *Member) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: groupID, Brokers: []string{k.bootstrap}, Topics: []string{topic},
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 200 * time.Millisecond, RebalanceTimeout: 6 * time.Second,
		JoinGroupBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-sink.leaves
		cancel()
	}()
	for ctx.Err() == nil {
		// An error is one failed try to join; the group goes on trying.
		if generation, err := group.Next(ctx); err == nil {
			k.consumeGeneration(generation, topic, sink)
		}
	}
	return group.Close()
}

func (k *kafkaGo) consumeGeneration(generation *kafka.Generation, topic string, sink *Member) {
	partitions := []int32{}
	for _, assigned := range generation.Assignments[topic] {
		partitions = append(partitions, int32(assigned.ID))
		generation.Start(func(ctx context.Context) {
			reader := kafka.NewReader(kafka.ReaderConfig{
				Brokers: []string{k.bootstrap}, Topic: topic, Partition: assigned.ID, MaxWait: 100 * time.Millisecond,
			})
			defer reader.Close()
			_ = reader.SetOffset(assigned.Offset)
			for {
				message, err := reader.ReadMessage(ctx)
				if err != nil {
					if !errors.Is(err, kafka.ErrGenerationEnded) && ctx.Err() == nil {
						continue
					}
					return
				}
				sink.Took(message.Value)
				_ = generation.CommitOffsets(map[string]map[int]int64{topic: {assigned.ID: message.Offset + 1}})
			}
		})
	}
	sink.Assigned(partitions)
}

type kafkaGoSender struct {
	writer *kafka.Writer
	sends  sync.WaitGroup
	queue  chan func()
}

// Producer sends one after the other: concurrent calls of a Writer keep no order among each other.
func (k *kafkaGo) Producer(topic string, _ bool) (Sender, error) {
	writer := &kafka.Writer{
		Addr: kafka.TCP(k.bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, MaxAttempts: 100,
	}
	sender := &kafkaGoSender{writer: writer, queue: make(chan func(), 100_000)}
	sender.sends.Go(func() {
		for send := range sender.queue {
			send()
		}
	})
	return sender, nil
}

func (s *kafkaGoSender) Send(value string, acknowledged func()) {
	s.queue <- func() {
		if s.writer.WriteMessages(context.Background(), kafka.Message{Value: []byte(value)}) == nil {
			acknowledged()
		}
	}
}

func (s *kafkaGoSender) Close() {
	close(s.queue)
	s.sends.Wait()
	s.writer.Close()
}
