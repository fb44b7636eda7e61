/**
 * One bridge: TAP, MAC, modem driver and line put together and kept running. Owns the order of start and stop:
 * the TAP side is ready before the line opens, and the line is closed before the TAP.
 */
import type { Scheduler } from '../base/clock.js';
import { type DropCause, DropCounters } from '../base/drops.js';
import { isSluiceError, type SluiceError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { RepairingBackPressure } from '../flow/repair.js';
import { Mac } from '../mac/mac.js';
import type { Neighbour } from '../mac/neighbours.js';
import type { ReceptionMeta } from '../mac/phy.js';
import type { MacConfig, MacObserver } from '../mac/ports.js';
import type { ModemDriver } from '../modem/driver.js';
import type { Log } from '../observe/log.js';
import type { Line } from '../serial/line.js';
import { keyDownError } from '../serial/line-errors.js';
import { ReopeningLine } from '../serial/reopening-line.js';
import type { Tap } from '../tap/tap.js';
import type { LinkFrame } from '../wire/link-frame.js';
import type { HomeFilter } from '../wire/local-answers.js';
import type { Encapsulation, InboundPacket, Station } from '../wire/packet.js';
import { ChannelLog } from './channel-log.js';
import { QueueDelay } from './queue-delay.js';
import { type BridgeStatus, milliseconds, ratio } from './status.js';
import type { QueueEnd } from './tap-interface.js';
import { TapSide } from './tap-side.js';

/** The network interface, as far as a bridge needs it: see tap-interface.ts. */
export interface BridgeInterface {
  readonly tap: Tap;
  readonly backPressure: RepairingBackPressure;
  /** Packets that the TAP's own ring dropped, from the kernel's counters. */
  dropped(): number;
  /** This process made it: nobody can have sent anything before that. */
  readonly made: boolean;
  readonly stopPlan: { readonly keep: boolean; readonly readRing: boolean };
  shut(): void;
  close(): QueueEnd;
}

export interface BridgeParts {
  readonly profile: string;
  readonly station: Station;
  readonly interface: BridgeInterface;
  /** Looks whether the interface is as it should be; called at intervals and when something failed. */
  readonly verifyInterface: () => void;
  readonly driver: ModemDriver;
  readonly createLine: () => Line;
  readonly encapsulation: Encapsulation;
  readonly homeFilter: HomeFilter;
  readonly macConfig: MacConfig;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  /** Between two `channel` lines in the log. */
  readonly channelIntervalUs: number;
}

/** How long a stop waits for the transmission in progress beyond the airtime of the longest frame. */
const FINISH_GRACE_US = 2_000_000;
/** A packet in hand gets its retries when the daemon stops, but no more time than this: service managers are impatient. */
const HAND_LIMIT_US = 30_000_000;
const HAND_LOOK_US = 10_000;

/** A line that takes nothing for so long has stalled: ten seconds, or some of the longest frames. */
const STALL_MIN_US = 10_000_000;
const STALL_FRAMES = 16;

function stallUs(driver: ModemDriver): number {
  return Math.max(STALL_MIN_US, STALL_FRAMES * driver.timing.airtimeUs(driver.capabilities.maxFrameBytes));
}

export class Bridge implements MacObserver {
  readonly drops = new DropCounters();
  readonly mac: Mac;
  readonly #parts: BridgeParts;
  readonly #tapSide: TapSide;
  readonly #line: ReopeningLine;
  readonly #channelLog: ChannelLog;
  readonly #startUs: number;
  #finished: (() => void) | undefined;
  #started = false;
  #stopping = false;
  #failedAtGrant = -1;
  readonly #queueDelay: QueueDelay;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { scheduler } = parts;
    this.#startUs = scheduler.nowUs();
    const backlog = (): number => parts.interface.backPressure.qdisc().backlogPackets;
    const queueDelay = new QueueDelay({ clock: scheduler, backlog });
    this.#queueDelay = queueDelay;
    this.#tapSide = new TapSide({
      ...parts,
      tap: parts.interface.tap,
      backPressure: parts.interface.backPressure,
      drops: this.drops,
      gateFailed: (error) => this.#gateFailed(error),
      tapFailed: (error) => this.#tapFailed(error),
      read: () => queueDelay.read(),
      demand: () => this.mac.demand(),
      down: () => this.mac.snapshot().state === 'down',
    });
    this.mac = new Mac({
      station: parts.station,
      phy: parts.driver,
      scheduler,
      random: parts.random,
      source: this.#tapSide,
      observer: this,
      config: parts.macConfig,
    });
    this.#line = new ReopeningLine({
      create: parts.createLine,
      scheduler,
      stallUs: stallUs(parts.driver),
      onOpen: () => {
        parts.log.info('line-open', { line: this.#line.path, reopens: this.#line.reopens });
        parts.driver.lineOpened(this.#line);
      },
      onRetry: (error, pauseUs) =>
        parts.log.debug('line-retry', { line: this.#line.path, cause: error.message, nextMs: milliseconds(pauseUs) }),
    });
    const { dutyCycle } = parts.macConfig.limits ?? {};
    this.#channelLog = new ChannelLog({
      scheduler,
      log: parts.log,
      intervalUs: parts.channelIntervalUs,
      mac: this.mac,
      dutyBudgetUs: dutyCycle && dutyCycle.share * dutyCycle.windowUs,
      status: () => this.status(),
      queueDelayMs: () => queueDelay.take(),
      logged: () => {
        if (!this.#stopping) parts.verifyInterface();
      },
    });
  }

  /** @throws SluiceError `line` when the line cannot be opened at first */
  async start(): Promise<void> {
    await this.#line.open({
      data: (octets) => this.#parts.driver.lineData(octets),
      drained: () => this.#parts.driver.lineDrained?.(),
      lost: (error) => this.#lineLost(error),
    });
    this.#started = true;
    this.#tapSide.start();
    this.#channelLog.start();
  }

  /** Nothing is pulled while the interface is down. */
  interfaceUp(up: boolean): void {
    if (up) this.#tapSide.resume();
    else this.#tapSide.suspend();
  }

  /**
   * Lets what is in hand be sent, as far as its retries and a limit go, then takes everything down. What waits in the queue
   * stays there where it is to be kept. Idempotent.
   */
  async stop(reason: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const { scheduler, driver, log } = this.#parts;
    const { keep, readRing } = this.#parts.interface.stopPlan;
    const longestUs = driver.timing.airtimeUs(driver.capabilities.maxFrameBytes) + FINISH_GRACE_US;
    this.#tapSide.end(readRing);
    await this.#handEmpty();
    if (readRing) this.#shutGate();
    await new Promise<void>((resolve) => {
      const cancel = scheduler.at(scheduler.nowUs() + longestUs, resolve);
      this.#finished = () => {
        // A timer that is left keeps the process waiting for nothing.
        cancel();
        resolve();
      };
      this.mac.finish();
    });
    this.#tapSide.close();
    await this.#line.close();
    driver.lineLost();
    // Only now is nothing more counted: half a frame that was heard goes with the line.
    this.#channelLog.end();
    // What is past the gate and not in hand: a credit's worth of short frames.
    const inRing = keep ? 0 : this.#tapSide.discardRing();
    const end = this.#parts.interface.close();
    const queue = { kept: end.kept, lost: end.lost + inRing };
    // An interface that goes before it was of use takes what the kernel itself said when it came up, no traffic.
    if (queue.lost > 0 && (this.#started || !this.#parts.interface.made)) {
      log.warn('queue-lost', {
        packets: queue.lost,
        remedy:
          'To keep what waits over a restart, have a service manager store the queue (FileDescriptorStoreMax=1), or ' +
          'attach to a TAP whose carrier somebody holds, with interface.keepGate yes.',
      });
    }
    log.info('stopped', { reason, drops: this.drops.toJSON(), queue });
  }

  async #handEmpty(): Promise<void> {
    const { scheduler, driver, macConfig } = this.#parts;
    const attemptUs = driver.timing.airtimeUs(driver.capabilities.maxFrameBytes) + this.mac.timing.ackEndUs;
    // As long again as it takes, for those who were before us on the channel.
    const limitUs = Math.min(HAND_LIMIT_US, FINISH_GRACE_US + 2 * (macConfig.maxRetries + 1) * attemptUs);
    const untilUs = scheduler.nowUs() + limitUs;
    for (;;) {
      const { inHand, state } = this.mac.snapshot();
      if (state === 'down' || (inHand === 0 && this.#tapSide.empty) || scheduler.nowUs() >= untilUs) return;
      await new Promise<void>((resolve) => scheduler.at(scheduler.nowUs() + HAND_LOOK_US, resolve));
    }
  }

  /** The ring goes with us: whatever still gets into it is lost, and counted. */
  #shutGate(): void {
    this.#parts.interface.shut();
    const frames = this.#tapSide.discardRing();
    if (frames > 0) this.drops.count('shutdown', frames);
  }

  status(): BridgeStatus {
    const { parts, nowUs } = { parts: this.#parts, nowUs: this.#parts.scheduler.nowUs() };
    const { backPressure } = parts.interface;
    const mac = this.mac.snapshot();
    const modem = parts.driver.figures?.() ?? {};
    const upUs = nowUs - this.#startUs;
    const qdisc = backPressure.qdisc();
    return {
      interface: parts.interface.tap.name,
      station: parts.station,
      profile: parts.profile,
      uptimeMs: Math.round(upUs / 1000),
      line: {
        state: this.#line.state,
        path: this.#line.path,
        bytesIn: this.#line.statistics.bytesIn,
        bytesOut: this.#line.statistics.bytesOut,
        reopens: this.#line.reopens,
        stalls: this.#line.stalls,
        bytesDropped: this.#line.statistics.bytesDropped,
      },
      backPressure: {
        mode: backPressure.mode,
        reason: backPressure.reason,
        grants: backPressure.grants,
        repairs: backPressure.repairs,
        tapDropped: parts.interface.dropped(),
        qdisc,
        queueDelayMs: qdisc.backlogPackets === 0 ? 0 : this.#queueDelay.presentMs(),
      },
      mac: {
        state: mac.state,
        busyRatio: ratio(mac.busyUs, upUs),
        txRatio: ratio(mac.txUs, upUs),
        contentionWindow: mac.contentionWindow,
        airtimeUs: mac.txUs,
        busyUs: mac.busyUs,
        stuckUs: mac.stuckUs,
        carrierStuck: mac.carrierStuck,
        budgetLeft: ratio(mac.budgetLeft, 1),
        slotUs: this.mac.timing.slotUs,
        delayMs: { p50: milliseconds(mac.delayP50Us), p99: milliseconds(mac.delayP99Us) },
        ...mac.counters,
      },
      neighbours: mac.neighbours.map(
        ({ station, lastHeardUs, lossRatio, attempts, answered, lost, airtimeUs, rssiDbm }) => ({
          station,
          lastHeardMs: Math.round((nowUs - lastHeardUs) / 1000),
          lossRatio: Math.round(lossRatio * 1000) / 1000,
          attempts,
          answered,
          lost,
          airtimeUs,
          ...(rssiDbm === undefined ? {} : { rssiDbm }),
        }),
      ),
      unheard: mac.unheard.map(({ station, attempts }) => ({ station, attempts })),
      ...(Object.keys(modem).length === 0 ? {} : { modem }),
      drops: this.drops.toJSON(),
    };
  }

  // ---- what the MAC tells -----------------------------------------------------------------------------------------

  deliver(packet: InboundPacket): void {
    this.#tapSide.deliver(packet);
  }

  drop(cause: DropCause): void {
    this.drops.count(cause);
  }

  neighbour({ station, rssiDbm }: Neighbour): void {
    this.#parts.log.info('neighbour', {
      neighbour: station,
      change: 'seen',
      ...(rssiDbm === undefined ? {} : { rssiDbm }),
    });
  }

  addressConflict({ type, destination, sequence, body }: LinkFrame, meta: ReceptionMeta): void {
    this.#parts.log.error('address-conflict', {
      ...{ type, destination, sequence, bodyBytes: body.length, ...meta },
      remedy: 'Another station sends with our number; give one of them another.',
    });
  }

  stuckBusy(busyForUs: number): void {
    this.#parts.log.error('stuck-busy', {
      change: 'begin',
      busyMs: milliseconds(busyForUs),
      remedy:
        'The channel looks busy all the time: check squelch, wiring, and who else transmits. Transmitting all the same.',
    });
  }

  stuckBusyEnded(busyForUs: number): void {
    this.#parts.log.warn('stuck-busy', { change: 'end', busyMs: milliseconds(busyForUs) });
  }

  keyDownExceeded(limitUs: number): void {
    const error = keyDownError(this.#line.path, limitUs);
    this.#parts.log.error('key-down', { limitMs: milliseconds(limitUs), remedy: error.details.remedy ?? '' });
    this.#line.restart(error);
  }

  sentOverdue(): void {
    this.#parts.log.error('modem', {
      meaning: 'the modem was given a frame long ago, and nothing says that it is sent: what is to be sent waits',
      remedy:
        'Is the modem on, does somebody occupy the channel, or flow control or a duty cycle of its own hold it back? ' +
        'With limits.keyDownMs the line is closed and opened again instead.',
    });
  }

  finished(): void {
    this.#finished?.();
  }

  // ---- line and interface -----------------------------------------------------------------------------------------------

  #lineLost(error: SluiceError): void {
    if (this.#stopping) return;
    this.#parts.log.warn('line-lost', { line: this.#line.path, cause: error.message, remedy: error.details.remedy });
    this.#parts.driver.lineLost();
  }

  /** Said once, and again when it fails anew after having worked. What could be repaired was repaired before this. */
  #gateFailed(error: unknown): void {
    this.#parts.verifyInterface();
    const { grants, mode } = this.#parts.interface.backPressure;
    if (grants === this.#failedAtGrant || mode === 'none') return;
    this.#failedAtGrant = grants;
    const cause = error instanceof Error ? error.message : String(error);
    this.#parts.log.error('back-pressure', {
      mode: 'none',
      cause,
      remedy: 'Leave the root qdisc of the interface alone; restart to have back pressure again.',
    });
  }

  #tapFailed(error: unknown): void {
    if (!isSluiceError(error)) throw error;
    this.#tapSide.suspend();
    this.#parts.verifyInterface();
  }
}
