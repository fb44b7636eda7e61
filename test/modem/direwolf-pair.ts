/**
 * Real software modems: Dire Wolf instances (AFSK 1200) on one audio channel, which is a null sink of a PulseAudio of our
 * own. Each lives in its station's network namespace and is a KISS TNC on TCP port 8001 there. They hear themselves too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const KISS_PORT = 8001;
const START_PATIENCE_MS = 20_000;
const AUDIO_RATE = 44_100;
/** In real time where it is allowed, as sound needs it: the sound of a modem that comes late is lost, and a frame with it. */
const REAL_TIME = ['chrt', '--rr', '1'];
const BEFORE_OTHERS = spawnSync(REAL_TIME[0] ?? '', [...REAL_TIME.slice(1), 'true']).status === 0 ? REAL_TIME : [];

export class DireWolves {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param folder for configuration, logs and sockets
   * @param pids processes in whose network namespaces the modems are to live
   */
  static async start(folder: string, pids: readonly number[]): Promise<DireWolves> {
    const wolves = new DireWolves(folder);
    try {
      await wolves.#startAudio();
      for (const [index, pid] of pids.entries()) wolves.#startModem(index + 1, pid);
      await Promise.all(
        pids.map((_, index) =>
          wolves.#until(() => wolves.log(index + 1).includes(`port ${KISS_PORT}`), `Dire Wolf ${index + 1}`),
        ),
      );
      return wolves;
    } catch (error) {
      await wolves.stop();
      throw error;
    }
  }

  /** What the modem of this station has printed. */
  log(station: number): string {
    const path = join(this.#folder, `modem${station}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    // The modems first: without its audio a modem complains at length.
    for (const child of this.#children.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }

  async #startAudio(): Promise<void> {
    const run = join(this.#folder, 'run');
    mkdirSync(run, { recursive: true });
    chmodSync(run, 0o700);
    const socket = join(this.#folder, 'pulse.sock');
    this.#spawn('pulse', 'pulseaudio', [
      ...['-n', '--daemonize=no', '--exit-idle-time=-1', '--disallow-exit'],
      ...['-L', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`],
      ...['-L', `module-null-sink sink_name=air rate=${AUDIO_RATE} channels=1`],
    ]);
    await this.#until(() => existsSync(socket), 'PulseAudio');
    const pcm = (name: string, device: string): string =>
      `pcm.${name} { type pulse server "unix:${socket}" device "${device}" }\n`;
    writeFileSync(join(this.#folder, '.asoundrc'), pcm('air', 'air') + pcm('airmon', 'air.monitor'));
  }

  #startModem(station: number, pid: number): void {
    const configuration = join(this.#folder, `modem${station}.conf`);
    const lines = [
      ...['ADEVICE airmon air', `ARATE ${AUDIO_RATE}`, 'ACHANNELS 1', 'CHANNEL 0'],
      ...[`MYCALL N0CALL-${station}`, 'MODEM 1200', 'AGWPORT 0', `KISSPORT ${KISS_PORT}`, ''],
    ];
    writeFileSync(configuration, lines.join('\n'));
    const direwolf = ['direwolf', '-t', '0', '-q', 'd', '-c', configuration];
    this.#spawn(`modem${station}`, 'nsenter', [`--net=/proc/${pid}/ns/net`, '--', ...direwolf]);
  }

  #spawn(name: string, program: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `${name}.log`), 'w');
    const env = { ...process.env, HOME: this.#folder, XDG_RUNTIME_DIR: join(this.#folder, 'run') };
    // Ends with this process, however that ends.
    const command = ['--pdeathsig', 'KILL', ...BEFORE_OTHERS, program, ...args];
    const child = spawn('setpriv', command, { env, stdio: ['ignore', log, log] });
    child.once('error', () => undefined);
    this.#children.push(child);
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + START_PATIENCE_MS;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`${what} did not start:\n${this.log(1).slice(-2000)}`);
      await sleep(50);
    }
  }
}
