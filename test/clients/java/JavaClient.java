import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Drives Kafka's own Java client as its tester says: JSON commands on stdin, one a line, answers on stdout.
 *
 * Usage: JavaClient BOOTSTRAP. ../client-driver.ts has the list of commands.
 */
public final class JavaClient {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration READ_MAX = Duration.ofSeconds(30);

  private final Map<String, Object> common;
  private final Admin admin;
  private final Map<String, Member> members = new HashMap<>();
  private final Map<String, Stream> streams = new HashMap<>();

  private JavaClient(String bootstrap) {
    common = Map.of(
        "bootstrap.servers", bootstrap, "reconnect.backoff.ms", 50, "reconnect.backoff.max.ms", 300,
        "retry.backoff.ms", 50);
    admin = Admin.create(common);
  }

  public static void main(String[] args) throws Exception {
    // What a client prints must not come between the answers.
    PrintStream answers = System.out;
    System.setOut(System.err);
    JavaClient client = new JavaClient(args[0]);
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = requests.readLine()) != null;) {
      JsonNode request = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asInt());
      try {
        answer.set("result", client.run(request.get("command").asText(), request.get("arguments")));
      } catch (ExecutionException failure) {
        answer.put("error", String.valueOf(failure.getCause()));
      } catch (Exception failure) {
        answer.put("error", String.valueOf(failure));
      }
      answers.println(JSON.writeValueAsString(answer));
      answers.flush();
    }
    System.exit(0);
  }

  private JsonNode run(String command, JsonNode given) throws Exception {
    String topic = given.path("topic").asText();
    switch (command) {
      case "version":
        return JSON.valueToTree(AppInfoParser.getVersion());
      case "createTopic": {
        Map<String, String> config = new HashMap<>();
        given.get("config").properties().forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
        NewTopic wanted = new NewTopic(topic, given.get("partitions").asInt(), (short) 1).configs(config);
        admin.createTopics(List.of(wanted)).all().get();
        return null;
      }
      case "topics":
        return JSON.valueToTree(admin.listTopics().names().get());
      case "partitionCount":
        return JSON.valueToTree(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
      case "deleteTopic":
        admin.deleteTopics(List.of(topic)).all().get();
        return null;
      case "topicConfig": {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        String name = given.get("name").asText();
        return JSON.valueToTree(admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value());
      }
      case "setTopicConfig": {
        ConfigEntry entry = new ConfigEntry(given.get("name").asText(), given.get("value").asText());
        AlterConfigOp change = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        return null;
      }
      case "produce":
        return produce(topic, given);
      case "offsetForTime":
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
          TopicPartition partition = new TopicPartition(topic, given.get("partition").asInt());
          OffsetAndTimestamp found =
              consumer.offsetsForTimes(Map.of(partition, given.get("timestampMs").asLong())).get(partition);
          return JSON.valueToTree(found == null ? -1L : found.offset());
        }
      case "read":
        return read(topic, given);
      case "join":
        members.put(given.get("member").asText(), new Member(given.get("groupId").asText(), topic));
        return null;
      case "member":
        return members.get(given.get("member").asText()).state();
      case "leave": {
        Member member = members.get(given.get("member").asText());
        member.leave();
        return member.state();
      }
      case "startStream":
        streams.put(given.get("stream").asText(), new Stream(topic, given.get("idempotent").asBoolean()));
        return null;
      case "acknowledged":
        return streams.get(given.get("stream").asText()).acknowledged();
      case "stopStream": {
        Stream stream = streams.get(given.get("stream").asText());
        stream.stopAndWait();
        return stream.acknowledged();
      }
      default:
        throw new IllegalArgumentException("unknown command " + command);
    }
  }

  private JsonNode produce(String topic, JsonNode given) throws Exception {
    Map<String, Object> options = Map.of(
        "compression.type", given.get("compression").asText(),
        "enable.idempotence", given.get("idempotent").asBoolean(), "linger.ms", 200);
    ArrayNode offsets = JSON.createArrayNode();
    try (KafkaProducer<byte[], byte[]> producer = producer(options)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (JsonNode record : given.get("records")) {
        List<Header> headers = new ArrayList<>();
        for (JsonNode header : record.get("headers")) {
          headers.add(new RecordHeader(header.get(0).asText(), bytesOf(header.get(1))));
        }
        sent.add(producer.send(new ProducerRecord<>(
            topic, record.get("partition").asInt(), record.get("timestampMs").asLong(), bytesOf(record.get("key")),
            bytesOf(record.get("value")), headers)));
      }
      for (Future<RecordMetadata> each : sent) offsets.add(each.get().offset());
    }
    return offsets;
  }

  private JsonNode read(String topic, JsonNode given) throws Exception {
    int count = given.get("count").asInt();
    ArrayNode records = JSON.createArrayNode();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
      TopicPartition partition = new TopicPartition(topic, given.get("partition").asInt());
      consumer.assign(List.of(partition));
      consumer.seek(partition, given.get("offset").asLong());
      long deadline = System.nanoTime() + READ_MAX.toNanos();
      while (records.size() < count) {
        if (System.nanoTime() > deadline) throw new IllegalStateException("only " + records.size() + " records came");
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          if (records.size() < count) records.add(described(record));
        }
      }
    }
    return records;
  }

  private static ObjectNode described(ConsumerRecord<byte[], byte[]> record) {
    ObjectNode described = JSON.createObjectNode();
    described.put("partition", record.partition()).put("offset", record.offset());
    described.put("timestampMs", record.timestamp()).put("key", record.key()).put("value", record.value());
    ArrayNode headers = described.putArray("headers");
    for (Header header : record.headers()) headers.addArray().add(header.key()).add(header.value());
    return described;
  }

  private static byte[] bytesOf(JsonNode base64) throws Exception {
    return base64.isNull() ? null : base64.binaryValue();
  }

  private KafkaProducer<byte[], byte[]> producer(Map<String, Object> options) {
    Map<String, Object> all = new HashMap<>(common);
    all.putAll(Map.of("acks", "all", "delivery.timeout.ms", 120_000));
    all.putAll(options);
    return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> options) {
    Map<String, Object> all = new HashMap<>(common);
    all.putAll(Map.of("fetch.max.wait.ms", 100, "auto.offset.reset", "earliest"));
    all.putAll(options);
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** A member of a group, polled by a thread of its own. */
  private final class Member extends Thread {
    private final String topic;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<String> values = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private Set<Integer> assignment = Set.of();
    private volatile boolean leaves;

    private Member(String groupId, String topic) {
      this.topic = topic;
      consumer = consumer(
          Map.of("group.id", groupId, "session.timeout.ms", 6_000, "heartbeat.interval.ms", 200));
      setDaemon(true);
      start();
    }

    @Override
    public void run() {
      try (consumer) {
        consumer.subscribe(List.of(topic));
        while (!leaves) {
          Iterable<ConsumerRecord<byte[], byte[]>> polled = consumer.poll(Duration.ofMillis(50));
          Set<Integer> partitions = new TreeSet<>();
          consumer.assignment().forEach(partition -> partitions.add(partition.partition()));
          synchronized (this) {
            for (ConsumerRecord<byte[], byte[]> record : polled) values.add(new String(record.value(), StandardCharsets.UTF_8));
            assignment = partitions;
          }
        }
      } catch (Throwable thrown) {
        failure.set(thrown);
      }
    }

    private void leave() throws InterruptedException {
      leaves = true;
      join(30_000);
    }

    private synchronized JsonNode state() {
      if (failure.get() != null) throw new IllegalStateException(failure.get());
      ObjectNode state = JSON.createObjectNode();
      state.set("assignment", JSON.valueToTree(assignment));
      state.set("values", JSON.valueToTree(values));
      return state;
    }
  }

  /** Produces "0", "1", "2" and so on until stopped, and remembers which were acknowledged. */
  private final class Stream extends Thread {
    private final String topic;
    private final KafkaProducer<byte[], byte[]> producer;
    private final List<String> acknowledged = new ArrayList<>();
    private volatile boolean stops;

    private Stream(String topic, boolean isIdempotent) {
      this.topic = topic;
      producer = producer(Map.of("enable.idempotence", isIdempotent));
      setDaemon(true);
      start();
    }

    @Override
    public void run() {
      try (producer) {
        for (int number = 0; !stops; number++) {
          String value = String.valueOf(number);
          producer.send(
              new ProducerRecord<>(topic, 0, null, value.getBytes(StandardCharsets.UTF_8)),
              (metadata, exception) -> note(value, Optional.ofNullable(exception)));
          Thread.sleep(2);
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    private synchronized void note(String value, Optional<Exception> exception) {
      if (exception.isEmpty()) acknowledged.add(value);
    }

    private void stopAndWait() throws InterruptedException {
      stops = true;
      join(60_000);
    }

    private synchronized JsonNode acknowledged() {
      return JSON.valueToTree(acknowledged);
    }
  }
}
