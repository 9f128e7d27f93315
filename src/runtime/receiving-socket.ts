import { Socket as NodeSocket, type SocketConstructorOpts } from "node:net";

/** What Node calls the connection below a socket: an accepted socket can be made anew around it. */
interface HandleOwner {
  _handle?: SocketConstructorOpts["handle"] | null;
}

const receiveBytes = 256 << 10;

/**
 * Everything is received into one buffer: a read is handed on before the next one is made. Windows takes the
 * memory for a read before there is anything to read, so that there each socket has its own.
 */
const sharedBuffer = process.platform === "win32" ? undefined : Buffer.allocUnsafeSlow(receiveBytes);

/**
 * An accepted, paused socket anew, whose bytes come in memory that is used again: good until `onBytes` returns.
 *
 * By default every read allocates 64 KiB outside the heap, whatever it brings. That garbage alone made V8 mark
 * its whole heap every 20 MB, a third of a busy broker's CPU time. Node has this choice for sockets that
 * connect (`onread`), but not for those that a server accepts.
 */
export function receivingSocket(accepted: NodeSocket, onBytes: (bytes: Buffer) => void): NodeSocket {
  const owner = accepted as HandleOwner;
  const handle = owner._handle;
  if (!handle) {
    accepted.on("data", onBytes);
    return accepted;
  }
  const buffer = sharedBuffer ?? Buffer.allocUnsafeSlow(receiveBytes);
  const onread: SocketConstructorOpts["onread"] = {
    buffer,
    callback: (sizeBytes) => {
      onBytes(buffer.subarray(0, sizeBytes));
      return true;
    },
  };
  const socket = new NodeSocket({ handle, onread });
  socket.pause();
  // The handle has a new owner: the old socket counts as closed with its server, and closes nothing.
  owner._handle = null;
  accepted.destroy();
  return socket;
}
