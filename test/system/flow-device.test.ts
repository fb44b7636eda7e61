/** What the modes leave on a device, what they refuse, and the self-test, on the running kernel. Needs root. */

import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { isSluiceError, type SluiceError } from '../../src/base/errors.js';
import { liveProbeTools, probeBackPressure } from '../../src/daemon/back-pressure-probe.js';
import { chooseMode } from '../../src/flow/choose-mode.js';
import { CreditGate } from '../../src/flow/credit-gate.js';
import { Egress } from '../../src/flow/egress.js';
import { INNER_QDISCS, type InnerQdisc } from '../../src/flow/inner-qdisc.js';
import { KICK_PRIORITY } from '../../src/flow/kick.js';
import { NativeBackPressure } from '../../src/flow/native-back-pressure.js';
import { type ProbeTools, probe, type ScratchDevice } from '../../src/flow/probe.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TC_H_ROOT } from '../../src/netlink/constants.js';
import { tcHandle } from '../../src/netlink/qdisc.js';
import { numberedFrame, openBench, pullNumbered } from './back-pressure-scenarios.js';

/** User and group `nobody`. */
const UNPRIVILEGED_ID = 65534;

beforeAll(() => unshareNetwork());

/** A device that is not ours to shape, as found: its queue length and its root qdisc are somebody's choice. */
function withForeignDevice(body: (tools: ProbeTools, device: ScratchDevice) => void): void {
  const tools = liveProbeTools('/dev/net/tun');
  const device = tools.createScratch({ backPressure: false });
  try {
    tools.netlink.setLink(device.ifindex, { up: true, txQueueLength: 321 });
    body(tools, device);
  } finally {
    device.close();
    tools.close();
  }
}

function gateOn(tools: ProbeTools, device: ScratchDevice, kind: InnerQdisc = 'pfifo_fast'): CreditGate {
  return new CreditGate({
    netlink: tools.netlink,
    ifindex: device.ifindex,
    inner: { kind, frameAirtimeUs: 500_000 },
    openKicker: () => tools.openSender(device.ifindex, KICK_PRIORITY),
    reason: 'test',
  });
}

/** All that we could leave behind. */
function shapeOf(tools: ProbeTools, { ifindex }: ScratchDevice): object {
  return {
    txQueueLength: tools.netlink.linkByIndex(ifindex).txQueueLength,
    qdiscs: tools.netlink.qdiscs(ifindex).map(({ kind, parent, handle, rawOptions }) => {
      return { kind, parent, handle, rawOptions: [...rawOptions] };
    }),
  };
}

function refusalOf(attempt: () => void): SluiceError {
  try {
    attempt();
  } catch (failure) {
    if (isSluiceError(failure)) return failure;
    throw failure;
  }
  throw new Error('was not refused');
}

describe('after close, a device is as before', () => {
  it('when it had the default qdisc', () => {
    withForeignDevice((tools, device) => {
      const before = shapeOf(tools, device);
      const gate = gateOn(tools, device);
      expect(shapeOf(tools, device)).not.toEqual(before);
      expect(tools.netlink.qdiscs(device.ifindex).map((qdisc) => qdisc.kind)).toEqual(['tbf', 'pfifo_fast']);
      gate.close();
      gate.close();
      expect(shapeOf(tools, device)).toEqual(before);
    });
  });

  it('when somebody had chosen one, even under the number of the gate', () => {
    withForeignDevice((tools, device) => {
      const options = { kind: 'pfifo', limitPackets: 77 } as const;
      tools.netlink.replaceQdisc(device.ifindex, { parent: TC_H_ROOT, handle: tcHandle(1), options });
      const before = shapeOf(tools, device);
      for (const open of [
        () => gateOn(tools, device),
        () =>
          new NativeBackPressure({
            netlink: tools.netlink,
            ifindex: device.ifindex,
            inner: { kind: 'pfifo', frameAirtimeUs: 0 },
            reason: 'test',
          }),
      ]) {
        const backPressure = open();
        expect(shapeOf(tools, device)).not.toEqual(before);
        backPressure.close();
        expect(shapeOf(tools, device)).toEqual(before);
      }
    });
  });

  it('when setting it up failed half-way', () => {
    withForeignDevice((tools, device) => {
      const before = shapeOf(tools, device);
      const gate = (): CreditGate =>
        new CreditGate({
          netlink: tools.netlink,
          ifindex: device.ifindex,
          inner: { kind: 'pfifo_fast', frameAirtimeUs: 0 },
          openKicker: () => tools.openSender(0x7fffffff, KICK_PRIORITY),
          reason: 'test',
        });
      expect(refusalOf(gate).details.errno).toBe('ENODEV');
      expect(shapeOf(tools, device)).toEqual(before);
    });
  });

  it('and when it is gone, closing does nothing', () => {
    const bench = openBench('gate');
    bench.device.close();
    expect(() => bench.backPressure.close()).not.toThrow();
    bench.close();
  });
});

describe('a gate that an earlier run left closed', () => {
  it('is taken over, with all that waits in it', () => {
    withForeignDevice((tools, device) => {
      gateOn(tools, device);
      const sender = tools.openSender(device.ifindex, 0);
      let sent = 0;
      while (sender.send(numberedFrame(0, sent, 842)) > 0) sent++;
      const backPressure = gateOn(tools, device);
      const egress = new Egress(device, backPressure);
      for (let i = 0; i < sent; i++) expect(pullNumbered({ tools, egress })?.sequence).toBe(i);
      sender.close();
      backPressure.close();
      expect(tools.netlink.qdiscs(device.ifindex).map((qdisc) => qdisc.handle)).toEqual([0]);
    });
  });
});

describe('refusals', () => {
  it('name the gate when somebody took it off', () => {
    withForeignDevice((tools, device) => {
      const gate = gateOn(tools, device);
      tools.netlink.deleteQdisc(device.ifindex, { parent: TC_H_ROOT, handle: 0 });
      const refusal = refusalOf(() => gate.grant());
      expect(refusal.message).toMatch(/credit gate does not answer/);
      expect(refusal.details.remedy).toMatch(/parent 1:1/);
      gate.close();
    });
  });

  it('name the privilege that is missing, for netlink and for the packet socket', () => {
    withForeignDevice((tools, device) => {
      const setEffectiveUser = process.seteuid?.bind(process);
      if (setEffectiveUser === undefined) throw new Error('no seteuid');
      setEffectiveUser(UNPRIVILEGED_ID);
      try {
        const unprivileged = liveProbeTools('/dev/net/tun');
        const asked = refusalOf(() => unprivileged.netlink.setLink(device.ifindex, { txQueueLength: 5 }));
        expect(asked).toMatchObject({ code: 'privilege', details: { errno: 'EPERM', call: 'RTM_NEWLINK' } });
        expect(asked.details.remedy).toMatch(/CAP_NET_ADMIN/);
        expect(refusalOf(() => tools.openSender(device.ifindex, 0)).code).toBe('privilege');
        const proofs = probe(unprivileged);
        expect(proofs.gate).toMatchObject({ works: false });
        expect(chooseMode('auto', proofs).mode).toBe('none');
        unprivileged.close();
      } finally {
        setEffectiveUser(0);
      }
    });
  });

  it('name each inner qdisc that the kernel lacks, and leave nothing behind', () => {
    withForeignDevice((tools, device) => {
      const before = shapeOf(tools, device);
      const { qdiscs } = probe(tools);
      for (const kind of INNER_QDISCS) {
        if (qdiscs[kind] === null) {
          const gate = gateOn(tools, device, kind);
          expect(gate.qdisc().kind).toBe(kind);
          gate.close();
        } else {
          const refusal = refusalOf(() => gateOn(tools, device, kind));
          expect(refusal.code).toBe('kernel-feature');
          expect(refusal.message).toContain(kind);
          expect(refusal.details.remedy).toContain('pfifo_fast');
        }
        expect(shapeOf(tools, device)).toEqual(before);
      }
    });
  });
});

describe('the self-test', () => {
  it('proves the gate in a thread and a namespace of its own, and leaves no device', async () => {
    // The thread runs from the build, because node does not read the sources.
    const worker = new URL('../../dist/src/daemon/back-pressure-probe-worker.js', import.meta.url);
    expect(existsSync(worker), 'build first: npm run build').toBe(true);
    const result = await probeBackPressure('/dev/net/tun', worker);
    expect(result).toMatchObject({ isolated: true, gate: { works: true, tapDropped: 0, qdiscDropped: 0 } });
    expect(result.gate.received).toBe(result.gate.sent);
    expect(result.qdiscs).toMatchObject({ tbf: null, pfifo_fast: null });
    const tools = liveProbeTools('/dev/net/tun');
    expect(refusalOf(() => tools.netlink.linkByName('slprobe0')).details.errno).toBe('ENODEV');
    tools.close();
  });

  it('says what is missing where there is no clone device', async () => {
    const worker = new URL('../../dist/src/daemon/back-pressure-probe-worker.js', import.meta.url);
    const result = await probeBackPressure('/dev/net/none', worker);
    expect(result.gate.works).toBe(false);
    expect(result.gate.why).toContain('/dev/net/none');
    expect(chooseMode('auto', result).mode).toBe('none');
  });
});
