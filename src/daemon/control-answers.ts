/** Whether a control socket is more than a leftover. */
import { createConnection } from 'node:net';

/** Whether somebody listens there. */
export async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
