// Runs one of Go's Kafka clients as its tester says: JSON commands on stdin, one a line, answers on stdout.
//
// Usage: clients CLIENT BOOTSTRAP. ../client-driver.ts has the list of commands.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Header is a name and a value, a list of two in JSON.
type Header struct {
	Name  string
	Value []byte
}

func (h Header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.Name, h.Value})
}

func (h *Header) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&h.Name, &h.Value})
}

// Member is what one member of a group has got so far.
type Member struct {
	mutex      sync.Mutex
	assignment []int32
	values     []string
	failure    error
	leaves     chan struct{}
	left       chan struct{}
}

// Assigned takes note of the partitions that the member has now.
func (m *Member) Assigned(partitions []int32) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.assignment = slices.Sorted(slices.Values(partitions))
}

// Assignment is what it has now.
func (m *Member) Assignment() []int32 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return slices.Clone(m.assignment)
}

// Took takes note of a record's value.
func (m *Member) Took(value []byte) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.values = append(m.values, string(value))
}

func (m *Member) state() (any, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	assignment, values := append([]int32{}, m.assignment...), append([]string{}, m.values...)
	return map[string]any{"assignment": assignment, "values": values}, m.failure
}

// Stream produces "0", "1", "2" and so on until stopped.
type Stream struct {
	mutex        sync.Mutex
	acknowledged []string
	stops        chan struct{}
	stopped      chan struct{}
}

func (s *Stream) run(sender Sender) {
	defer close(s.stopped)
	defer sender.Close()
	for number := 0; ; number++ {
		select {
		case <-s.stops:
			return
		case <-time.After(2 * time.Millisecond):
		}
		value := strconv.Itoa(number)
		sender.Send(value, func() {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.acknowledged = append(s.acknowledged, value)
		})
	}
}

func (s *Stream) soFar() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string{}, s.acknowledged...)
}

type arguments struct {
	Topic       string            `json:"topic"`
	Partitions  int               `json:"partitions"`
	Partition   int32             `json:"partition"`
	Config      map[string]string `json:"config"`
	Name        string            `json:"name"`
	Value       string            `json:"value"`
	Compression string            `json:"compression"`
	Idempotent  bool              `json:"idempotent"`
	Records     []Record          `json:"records"`
	TimestampMs int64             `json:"timestampMs"`
	Offset      int64             `json:"offset"`
	Count       int               `json:"count"`
	Member      string            `json:"member"`
	GroupID     string            `json:"groupId"`
	Stream      string            `json:"stream"`
}

type driver struct {
	client  Client
	version string
	members map[string]*Member
	streams map[string]*Stream
}

func (d *driver) run(command string, a arguments) (any, error) {
	switch command {
	case "version":
		return d.version, nil
	case "createTopic":
		return nil, d.client.CreateTopic(a.Topic, a.Partitions, a.Config)
	case "topics":
		return d.client.Topics()
	case "partitionCount":
		return d.client.PartitionCount(a.Topic)
	case "deleteTopic":
		return nil, d.client.DeleteTopic(a.Topic)
	case "topicConfig":
		return d.client.TopicConfig(a.Topic, a.Name)
	case "setTopicConfig":
		return nil, d.client.SetTopicConfig(a.Topic, a.Name, a.Value)
	case "produce":
		return d.client.Produce(a.Topic, a.Compression, a.Idempotent, a.Records)
	case "offsetForTime":
		return d.client.OffsetForTime(a.Topic, a.Partition, a.TimestampMs)
	case "read":
		return d.client.Read(a.Topic, a.Partition, a.Offset, a.Count)
	case "join":
		member := &Member{leaves: make(chan struct{}), left: make(chan struct{})}
		d.members[a.Member] = member
		go func() {
			defer close(member.left)
			err := d.client.Consumer(a.GroupID, a.Topic, member)
			member.mutex.Lock()
			defer member.mutex.Unlock()
			member.failure = err
		}()
		return nil, nil
	case "member":
		return d.members[a.Member].state()
	case "leave":
		close(d.members[a.Member].leaves)
		<-d.members[a.Member].left
		return d.members[a.Member].state()
	case "startStream":
		sender, err := d.client.Producer(a.Topic, a.Idempotent)
		if err != nil {
			return nil, err
		}
		stream := &Stream{stops: make(chan struct{}), stopped: make(chan struct{})}
		d.streams[a.Stream] = stream
		go stream.run(sender)
		return nil, nil
	case "acknowledged":
		return d.streams[a.Stream].soFar(), nil
	case "stopStream":
		close(d.streams[a.Stream].stops)
		<-d.streams[a.Stream].stopped
		return d.streams[a.Stream].soFar(), nil
	}
	return nil, fmt.Errorf("no command %q", command)
}

func open(name, bootstrap string) (Client, string, error) {
	switch name {
	case "franz-go":
		client, err := openFranz(bootstrap)
		return client, moduleVersion("github.com/twmb/franz-go"), err
	case "sarama":
		client, err := openSarama(bootstrap)
		return client, moduleVersion("github.com/IBM/sarama"), err
	case "kafka-go":
		return openKafkaGo(bootstrap), moduleVersion("github.com/segmentio/kafka-go"), nil
	}
	return nil, "", fmt.Errorf("no client %q", name)
}

func moduleVersion(path string) string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "unknown"
}

func main() {
	client, version, err := open(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	d := &driver{client, version, map[string]*Member{}, map[string]*Stream{}}
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var request struct {
			ID        int       `json:"id"`
			Command   string    `json:"command"`
			Arguments arguments `json:"arguments"`
		}
		answer := map[string]any{}
		if err := json.Unmarshal(line, &request); err != nil {
			answer["error"] = err.Error()
		} else if result, err := d.run(request.Command, request.Arguments); err != nil {
			answer["error"] = err.Error()
		} else {
			answer["result"] = result
		}
		answer["id"] = request.ID
		if err := answers.Encode(answer); err != nil {
			return
		}
	}
}
