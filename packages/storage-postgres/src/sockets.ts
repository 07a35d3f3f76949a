import { Socket } from 'node:net';

/** The sockets of some connections, so that they can be ended where the other side has fallen silent and would never answer a goodbye. */
export class Sockets {
  readonly #open = new Set<Socket>();

  /** For the option `stream` of the driver. */
  readonly create = (): Socket => {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** Ends all of them at once; whatever is under way on them fails. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Resolves when each of those that are open now is closed. */
  async closed(): Promise<void> {
    await Promise.all(Array.from(this.#open, (socket) => new Promise((resolve) => socket.once('close', resolve))));
  }
}
