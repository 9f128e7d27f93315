import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.BufferedReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools one after the other in this one process: a JVM for each would take seconds.
 *
 * A line in asks for a run: class, input and arguments in base64, parted by blanks. The line that answers has the exit
 * code, the output and the complaints.
 */
public final class KafkaTools {
  /** Takes the place of the end of the process. */
  private static final class Ended extends RuntimeException {
    private Ended() {
      super("the tool ended", null, false, false);
    }
  }

  /** The exit code that the running tool chose first: some tools take the end of theirs for a failure. */
  private static Integer chosenCode;

  /** Streams that tools may keep from one run to the next: what is behind them changes. */
  private static OutputStream out;
  private static OutputStream err;
  private static InputStream in;

  public static void main(String[] args) throws Exception {
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    PrintStream answers = System.out;
    List<Runnable> hooks = Collections.synchronizedList(new ArrayList<>());
    System.setOut(forward(() -> out));
    System.setErr(forward(() -> err));
    System.setIn(new InputStream() {
      @Override
      public int read() throws java.io.IOException {
        return in.read();
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws java.io.IOException {
        return in.read(bytes, offset, length);
      }
    });
    Exit.setExitProcedure((code, message) -> end(code));
    Exit.setHaltProcedure((code, message) -> end(code));
    Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));

    for (String request; (request = requests.readLine()) != null;) {
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      ByteArrayOutputStream complaints = new ByteArrayOutputStream();
      out = output;
      err = complaints;
      int code = run(request.split(" ", -1));
      // What a tool does as its process ends: ConsoleProducer sends the last records then.
      for (Runnable hook : new ArrayList<>(hooks)) hook.run();
      hooks.clear();
      System.out.flush();
      System.err.flush();
      answers.println(code + " " + encode(output) + " " + encode(complaints));
      answers.flush();
    }
  }

  private static int run(String[] request) throws Exception {
    in = new ByteArrayInputStream(decode(request[1]));
    String[] arguments = new String[request.length - 2];
    for (int index = 0; index < arguments.length; index++) {
      arguments[index] = new String(decode(request[index + 2]), StandardCharsets.UTF_8);
    }
    String tool = new String(decode(request[0]), StandardCharsets.UTF_8);
    chosenCode = null;
    try {
      Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (InvocationTargetException failure) {
      if (chosenCode == null) {
        failure.getCause().printStackTrace();
        chosenCode = 1;
      }
    }
    return chosenCode == null ? 0 : chosenCode;
  }

  /** What the tool says after its end is about our exception, and not to be heard. */
  private static void end(int code) {
    if (chosenCode == null) chosenCode = code;
    System.out.flush();
    System.err.flush();
    out = OutputStream.nullOutputStream();
    err = OutputStream.nullOutputStream();
    throw new Ended();
  }

  private interface Target {
    OutputStream stream();
  }

  private static PrintStream forward(Target target) {
    return new PrintStream(new OutputStream() {
      @Override
      public void write(int value) throws java.io.IOException {
        target.stream().write(value);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws java.io.IOException {
        target.stream().write(bytes, offset, length);
      }
    }, true, StandardCharsets.UTF_8);
  }

  private static byte[] decode(String text) {
    return Base64.getDecoder().decode(text);
  }

  private static String encode(ByteArrayOutputStream bytes) {
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }
}
