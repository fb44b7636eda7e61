/** What serialport gives for an open port, as types; serialport-line.ts is what uses it. */

/** serialport's Linux port, as far as it is used here; it exports no name for it. */
export interface SerialPortHandle {
  readonly fd: number | null;
  readonly poller: Poller;
  close(): Promise<void>;
  flush(): Promise<void>;
  getBaudRate(): Promise<{ baudRate: number }>;
  update(options: { baudRate: number }): Promise<void>;
  set(options: Record<'brk' | 'cts' | 'dsr' | 'dtr' | 'rts' | 'lowLatency', boolean>): Promise<void>;
}

interface Poller {
  poll(events: number): void;
  stop(): void;
  on(event: 'readable' | 'writable', listener: (failure: Error | null) => void): unknown;
  removeAllListeners(): unknown;
}
