/** The parts of a MAC, and what each is told: made here, so that mac.ts holds only what happens between them. */
import type { DropCause } from '../base/drops.js';
import { LINK_HEADER_BYTES, SEQUENCES } from '../wire/link-frame.js';
import { ChannelAccess } from './access.js';
import type { AirTap } from './air-tap.js';
import { AnswerHabits } from './answer-habits.js';
import { AnswerWait } from './answer-wait.js';
import { Answers } from './answers.js';
import { type Contention, NO_CONTENTION } from './contention.js';
import { CycleContention } from './contention-cycle.js';
import { Deferral } from './deferral.js';
import { Limits } from './limits.js';
import { Neighbours } from './neighbours.js';
import type { MacOptions } from './ports.js';
import { Receiver } from './receiver.js';
import { Requests } from './requests.js';
import { Sender } from './sender.js';
import { type MacCounters, newMacCounters, ServiceDelays } from './statistics.js';
import { deriveTiming, longestFrameBytes, type MacTiming } from './timing.js';
import { Transmitter } from './transmitter.js';

/** What was not heard of for so many of the longest exchanges is given up. */
const PATIENCE_EXCHANGES = 64;

/** What the parts ask of the MAC. */
export interface MacHooks {
  won(): void;
  demand(): void;
  /** Whether the modem can be used. */
  up(): boolean;
  tap(): AirTap | null;
}

export interface MacParts {
  /** Whether unicast frames are answered on this channel. */
  readonly answersCome: boolean;
  readonly timing: MacTiming;
  readonly counters: MacCounters;
  readonly neighbours: Neighbours;
  readonly delays: ServiceDelays;
  readonly habits: AnswerHabits;
  readonly contention: Contention;
  readonly access: ChannelAccess;
  readonly limits: Limits;
  readonly deferral: Deferral;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly transmitter: Transmitter;
  readonly answers: Answers;
  readonly answerWait: AnswerWait;
  /** Null where nobody can ask for the channel. */
  readonly requests: Requests | null;
}

export function createParts(options: MacOptions, hooks: MacHooks): MacParts {
  const { phy, random, scheduler, station, config, observer, source } = options;
  const { fcsBytes, burstAirtimeUs = 0, limits: bounds = {} } = config;
  const answersCome = config.linkFrames && config.arq;
  const timing = deriveTiming(phy, LINK_HEADER_BYTES + fcsBytes);
  const longestUs = phy.timing.airtimeUs(phy.capabilities.maxFrameBytes);
  const exchangeUs = longestUs + timing.ackEndUs;
  const patienceUs = PATIENCE_EXCHANGES * exchangeUs;
  const counters = newMacCounters();
  const neighbours = new Neighbours();
  const delays = new ServiceDelays();
  const habits = new AnswerHabits();
  const cycle = { random, station, a: timing.slotUs / exchangeUs, named: config.linkFrames };
  const contention =
    options.contention?.(timing) ??
    (phy.capabilities.channelAccess === 'host' ? new CycleContention(cycle) : NO_CONTENTION);
  const { won, tap, up } = hooks;
  const access = new ChannelAccess({
    phy,
    scheduler,
    timing,
    contention,
    counters,
    answers: answersCome,
    goesUnanswered: (expected): boolean => deferral.goesUnanswered(expected),
    won,
    observer,
  });
  const burstUs = Math.min(burstAirtimeUs, bounds.keyDownUs ?? burstAirtimeUs);
  const winUs = Math.max(longestUs, burstUs);
  const limits = new Limits({ ...bounds, nowUs: scheduler.nowUs(), longestUs: winUs });
  const drop = (cause: DropCause): void => observer.drop(cause);
  const ackUs = phy.timing.airtimeUs(LINK_HEADER_BYTES + fcsBytes);
  const { propagationUs, turnaroundUs } = phy.timing;
  const deferral: Deferral = new Deferral({
    counters,
    fcsBytes,
    longestBytes: longestFrameBytes(phy, bounds.keyDownUs),
    enabled: answersCome && phy.capabilities.channelAccess === 'host' && config.piggyback !== false,
    contention,
    answerUs: 2 * propagationUs + turnaroundUs + ackUs,
    arrived: (from) => receiver.arrived(from),
    lossRatio: () => neighbours.lossRatio,
    allHeard: (): boolean => requests?.allHeard(scheduler.nowUs()) !== false,
  });
  const sender = new Sender({
    deferral,
    station,
    phy,
    config,
    source,
    drop,
    delays,
    firstSequence: () => random.below(SEQUENCES),
    pollUs: timing.slotUs + ackUs + timing.ackEndUs,
    answers: (asked) => habits.expected(asked),
  });
  const receiver = new Receiver({
    station,
    fcsBytes,
    scheduler,
    patienceUs,
    drop,
    deliver: (packet) => {
      counters.delivered++;
      observer.deliver(packet);
    },
  });
  const transmitter = new Transmitter({
    scheduler,
    phy,
    access,
    limits,
    counters,
    tap,
    keyDownUs: bounds.keyDownUs,
    keyDownExceeded: (limitUs) => observer.keyDownExceeded?.(limitUs),
    overdueUs: timing.sentOverdueUs,
    sentOverdue: () => observer.sentOverdue?.(timing.sentOverdueUs),
    identificationDue: () => hooks.demand(),
  });
  const { burstGapUs } = timing;
  const answering = (): boolean => access.carrierBusy || phy.senseBusy();
  const asksFirst = answersCome && phy.capabilities.channelAccess === 'host';
  const requests: Requests | null = asksFirst
    ? new Requests({
        station,
        phy,
        fcsBytes,
        patienceUs,
        longestUs: winUs,
        timing,
        access,
        neighbours,
        sender,
        transmitter,
        counters,
      })
    : null;
  return {
    answersCome,
    timing,
    counters,
    neighbours,
    delays,
    habits,
    contention,
    access,
    limits,
    deferral,
    sender,
    receiver,
    transmitter,
    answers: new Answers({ scheduler, burstGapUs, receiver, deferral, transmitter, counters, up }),
    answerWait: new AnswerWait({ scheduler, phy, timing, answering }),
    requests,
  };
}
