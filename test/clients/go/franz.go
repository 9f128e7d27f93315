package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type franz struct {
	bootstrap string
	admin     *kadm.Client
}

func openFranz(bootstrap string) (Client, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return nil, err
	}
	return &franz{bootstrap, kadm.NewClient(client)}, nil
}

func (f *franz) CreateTopic(topic string, partitions int, config map[string]string) error {
	entries := map[string]*string{}
	for name, value := range config {
		entries[name] = &value
	}
	_, err := f.admin.CreateTopic(context.Background(), int32(partitions), 1, entries, topic)
	return err
}

func (f *franz) Topics() ([]string, error) {
	topics, err := f.admin.ListTopics(context.Background())
	return topics.Names(), err
}

func (f *franz) PartitionCount(topic string) (int, error) {
	topics, err := f.admin.ListTopics(context.Background(), topic)
	return len(topics[topic].Partitions), err
}

func (f *franz) DeleteTopic(topic string) error {
	_, err := f.admin.DeleteTopic(context.Background(), topic)
	return err
}

func (f *franz) TopicConfig(topic, name string) (string, error) {
	described, err := f.admin.DescribeTopicConfigs(context.Background(), topic)
	if err != nil {
		return "", err
	}
	configs, err := described.On(topic, nil)
	if err != nil {
		return "", err
	}
	for _, config := range configs.Configs {
		if config.Key == name {
			return config.MaybeValue(), nil
		}
	}
	return "", errors.New("no such config")
}

func (f *franz) SetTopicConfig(topic, name, value string) error {
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value}
	answers, err := f.admin.AlterTopicConfigs(context.Background(), []kadm.AlterConfig{change}, topic)
	if err != nil {
		return err
	}
	answer, err := answers.On(topic, nil)
	if err != nil {
		return err
	}
	return answer.Err
}

func (f *franz) producer(compression string, idempotent bool, more ...kgo.Opt) (*kgo.Client, error) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(f.bootstrap),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[compression]),
	}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	return kgo.NewClient(append(options, more...)...)
}

func (f *franz) Produce(topic, compression string, idempotent bool, records []Record) ([]int64, error) {
	client, err := f.producer(compression, idempotent, kgo.ProducerLinger(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	produced := make([]*kgo.Record, len(records))
	for i, record := range records {
		produced[i] = &kgo.Record{
			Topic: topic, Partition: record.Partition, Key: record.Key, Value: record.Value,
			Timestamp: time.UnixMilli(record.TimestampMs),
		}
		for _, header := range record.Headers {
			produced[i].Headers = append(produced[i].Headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
		}
	}
	if err := client.ProduceSync(context.Background(), produced...).FirstErr(); err != nil {
		return nil, err
	}
	offsets := make([]int64, len(records))
	for i, record := range produced {
		offsets[i] = record.Offset
	}
	return offsets, nil
}

func (f *franz) OffsetForTime(topic string, partition int32, timestampMs int64) (int64, error) {
	listed, err := f.admin.ListOffsetsAfterMilli(context.Background(), timestampMs, topic)
	if err != nil {
		return 0, err
	}
	found, _ := listed.Lookup(topic, partition)
	return found.Offset, found.Err
}

func (f *franz) Read(topic string, partition int32, offset int64, count int) ([]Record, error) {
	at := map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(offset)}}
	client, err := kgo.NewClient(kgo.SeedBrokers(f.bootstrap), kgo.ConsumePartitions(at))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	var records []Record
	for len(records) < count {
		fetches := client.PollRecords(ctx, count-len(records))
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		for _, record := range fetches.Records() {
			read := Record{
				Offset: record.Offset, Partition: record.Partition, Key: record.Key, Value: record.Value,
				TimestampMs: record.Timestamp.UnixMilli(), Headers: []Header{},
			}
			for _, header := range record.Headers {
				read.Headers = append(read.Headers, Header{header.Key, header.Value})
			}
			records = append(records, read)
		}
	}
	return records, nil
}

func (f *franz) Consumer(groupID, topic string, sink *Member) error {
	changed := func(sign int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			sink.Assigned(combined(sink.Assignment(), partitions[topic], sign))
		}
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(f.bootstrap),
		kgo.ConsumerGroup(groupID),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.OnPartitionsAssigned(changed(1)),
		kgo.OnPartitionsRevoked(changed(-1)),
		kgo.OnPartitionsLost(changed(-1)),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-sink.leaves
		cancel()
	}()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) { sink.Took(record.Value) })
	}
	err = client.CommitUncommittedOffsets(context.Background())
	client.Close()
	return err
}

// combined adds partitions to those that a member had, or takes them away.
func combined(had, changed []int32, sign int) []int32 {
	has := map[int32]bool{}
	for _, partition := range had {
		has[partition] = true
	}
	for _, partition := range changed {
		if sign > 0 {
			has[partition] = true
		} else {
			delete(has, partition)
		}
	}
	var combined []int32
	for partition := range has {
		combined = append(combined, partition)
	}
	return combined
}

type franzSender struct {
	client *kgo.Client
	topic  string
}

func (f *franz) Producer(topic string, idempotent bool) (Sender, error) {
	client, err := f.producer("none", idempotent)
	return &franzSender{client, topic}, err
}

func (s *franzSender) Send(value string, acknowledged func()) {
	record := &kgo.Record{Topic: s.topic, Value: []byte(value)}
	s.client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
		if err == nil {
			acknowledged()
		}
	})
}

func (s *franzSender) Close() {
	_ = s.client.Flush(context.Background())
	s.client.Close()
}
