/** What can only be seen from a process of its own: missing privileges, full descriptor tables, exit, threads. */
import { beforeAll, describe, expect, it } from 'vitest';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { runChild, WITHOUT_CAPABILITIES } from './native-support.js';

beforeAll(() => unshareNetwork());

/** Prints as JSON what `operation` throws, and whether the number of open descriptors is the same as before. */
const REPORT = `
  const { readdirSync, openSync, closeSync, writeFileSync, rmSync } = await import('node:fs');
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const report = (operation) => {
    const before = descriptors();
    try { operation(); console.log('{}'); } catch (error) {
      const { code, details, message } = error;
      console.log(JSON.stringify({ code, message, ...details, cause: undefined, leaked: descriptors() - before }));
    }
  };
  addon.interfaceIndex('lo');
`;

describe('without privileges', () => {
  it.each([
    ['a TAP', `new addon.TapDevice('/dev/net/tun', 'no0', 0x1002)`, 'TUNSETIFF', 'EPERM', 'CAP_NET_ADMIN'],
    ['a packet socket', 'new addon.PacketSocket(1)', 'socket(AF_PACKET)', 'EPERM', 'CAP_NET_RAW'],
    ['a fresh namespace', 'addon.unshareNetwork()', 'unshare', 'EPERM', 'CAP_SYS_ADMIN'],
    ['another namespace', `addon.enterNetworkNamespace('/proc/self/ns/net')`, 'setns', 'EPERM', 'CAP_SYS_ADMIN'],
  ])('%s is refused by name, with the capability', (_what, operation, call, errno, capability) => {
    const { stdout, stderr } = runChild(`${REPORT} report(() => ${operation});`, WITHOUT_CAPABILITIES);
    expect(stderr).toBe('');
    const error = JSON.parse(stdout);
    expect(error).toMatchObject({ code: 'privilege', call, errno, leaked: 0 });
    expect(error.remedy).toContain(capability);
  });

  it('a change over netlink is refused, while reading is not', () => {
    const { stdout, stderr } = runChild(
      `${REPORT}
      const { RouteNetlink } = await load('netlink/route-netlink.js');
      const route = new RouteNetlink(new addon.NetlinkSocket(0));
      console.log(JSON.stringify(route.linkByName('lo').ifindex));
      report(() => route.setLink(1, { mtuBytes: 1000 }));`,
      WITHOUT_CAPABILITIES,
    );
    expect(stderr).toBe('');
    const [ifindex, error] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ifindex).toBe(1);
    expect(error).toMatchObject({ code: 'privilege', errno: 'EPERM', leaked: 0 });
    expect(error.remedy).toContain('CAP_NET_ADMIN');
  });

  it('a clone device that may not be opened is a matter of privilege too', () => {
    const { stdout } = runChild(
      `${REPORT}
      const path = '/tmp/sluice-no-access-' + process.pid;
      writeFileSync(path, '', { mode: 0 });
      report(() => new addon.TapDevice(path, 'no0', 0x1002));
      rmSync(path);`,
      WITHOUT_CAPABILITIES,
    );
    expect(JSON.parse(stdout)).toMatchObject({ code: 'privilege', call: 'open', errno: 'EACCES', leaked: 0 });
  });

  it('a tty in exclusive use cannot be opened again', () => {
    const { stdout } = runChild(
      `${REPORT}
      const pty = new addon.Pty();
      const first = openSync(pty.path, 'r+');
      if (addon.setExclusive(first, true) !== 0) throw new Error('not exclusive');
      try { openSync(pty.path, 'r+'); console.log('opened'); } catch (error) { console.log(error.code); }`,
      WITHOUT_CAPABILITIES,
    );
    expect(stdout.trim()).toBe('EBUSY');
  });
});

describe('with a full descriptor table', () => {
  it.each([
    ['a TAP, after it was attached', `new addon.TapDevice('/dev/net/tun', 'full0', 0x1002)`, 1, 'socket'],
    ['a TAP, at once', `new addon.TapDevice('/dev/net/tun', 'full0', 0x1002)`, 0, 'open'],
    ['a pty, after its master', 'new addon.Pty()', 1, 'TIOCGPTPEER'],
    ['a netlink socket', 'new addon.NetlinkSocket(0)', 0, 'socket(AF_NETLINK)'],
    ['a packet socket', 'new addon.PacketSocket(1)', 0, 'socket(AF_PACKET)'],
  ])('%s fails and gives back what it took', (_what, operation, free, call) => {
    const { stdout, stderr } = runChild(
      `${REPORT}
      const filler = [];
      const fill = () => { try { for (;;) filler.push(openSync('/dev/null', 'r')); } catch { return filler.length; } };
      const full = fill();
      for (let i = 0; i < ${free}; i++) closeSync(filler.pop());
      let failed;
      try { ${operation}; } catch (error) { failed = error; }
      const again = fill();
      for (const fd of filler) closeSync(fd);
      console.log(JSON.stringify({ ...failed?.details, cause: undefined, same: again === full,
        device: addon.interfaceIndex('full0') }));`,
      ['prlimit', '--nofile=64'],
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ call, errno: 'EMFILE', same: true, device: 0 });
  });
});

describe('without room for another thread', () => {
  it('waiting for a tty fails by a result, and does not end the process', () => {
    // The limit does not count for root.
    const { status, stdout, stderr } = runChild(`
      const { spawnSync } = await import('node:child_process');
      const pty = new addon.Pty();
      const limited = spawnSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1']);
      if (limited.status !== 0) throw new Error(String(limited.stderr));
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      const results = [];
      const ends = [addon.drain(pty.fd, (result) => results.push(result)),
        addon.awaitModemLines(pty.fd, 0x20, (result) => results.push(result))];
      setTimeout(() => {
        for (const end of ends) end();
        console.log(JSON.stringify(results));
      }, 200);`);
    expect({ status, stdout: stdout.trim(), stderr }).toEqual({ status: 0, stdout: '[-11,-11]', stderr: '' });
  });
});

describe('the end of a process', () => {
  const ARMED = `
    const tap = new addon.TapDevice('/dev/net/tun', 'end%d', 0x1002);
    const pty = new addon.Pty();
    const netlink = new addon.NetlinkSocket(0, 1);
    tap.arm(() => undefined);
    pty.arm(() => undefined);
    netlink.onNotification({ message() {}, overrun() {} });
  `;

  it('is clean with everything open and armed', () => {
    expect(runChild(`${ARMED} process.exit(7);`)).toMatchObject({ status: 7, stderr: '' });
  });

  it('comes by itself once nothing is armed, or what is armed is unreferenced', () => {
    expect(runChild(`${ARMED} tap.disarm(); pty.close(); netlink.close();`)).toMatchObject({ status: 0, stderr: '' });
    const unreferenced = `${ARMED} for (const each of [tap, pty, netlink]) each.setReferenced(false);`;
    expect(runChild(unreferenced)).toMatchObject({ status: 0, stderr: '' });
  });

  it('does not come while something is armed', () => {
    expect(runChild(ARMED, [], 2000)).toMatchObject({ status: null, signal: 'SIGTERM' });
  });

  it('comes by an exception that a callback throws', () => {
    const { status, stderr } = runChild(`
      const { writeSync, openSync } = await import('node:fs');
      const pty = new addon.Pty();
      pty.arm(() => { throw new Error('from the callback'); });
      writeSync(openSync(pty.path, 'r+'), 'x');`);
    expect(stderr).toContain('from the callback');
    expect(status).toBe(1);
  });
});

describe('forgotten objects', () => {
  it('give back their descriptors when collected, unless armed', () => {
    const { stdout, stderr } = runChild(`${REPORT}
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      const before = descriptors();
      (() => {
        for (let i = 0; i < 5; i++) new addon.TapDevice('/dev/net/tun', 'lost' + i, 0x1002);
        new addon.Pty();
        new addon.NetlinkSocket(0);
        new addon.TapDevice('/dev/net/tun', 'armed0', 0x1002).arm(() => undefined);
      })();
      const held = descriptors() - before;
      // The event loop's own descriptors came with the first armed one; only differences count.
      for (let i = 0; i < 20; i++) { collect(); await new Promise((resolve) => setTimeout(resolve, 5)); }
      console.log(JSON.stringify({ givenBack: before + held - descriptors(),
        lost: addon.interfaceIndex('lost0'), armed: addon.interfaceIndex('armed0') > 0 }));
      process.exit(0);`);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ givenBack: 8, lost: 0, armed: true });
  });
});

describe('threads', () => {
  it('each may have a namespace of its own, and end with devices open', () => {
    const { status, stdout, stderr } = runChild(`
      const { Worker } = await import('node:worker_threads');
      const tap = new addon.TapDevice('/dev/net/tun', 'same0', 0x1002);
      const source = \`
        import { parentPort, workerData } from 'node:worker_threads';
        const addon = await import(workerData + 'native/addon.js');
        const { unshareNetwork, interfaceIndex } = await import(workerData + 'native/descriptors.js');
        unshareNetwork();
        const tap = new addon.TapDevice('/dev/net/tun', 'same0', 0x1002);
        tap.arm(() => undefined);
        parentPort.postMessage(interfaceIndex('same0') > 0);\`;
      const workers = [1, 2, 3].map(() => new Worker(source, { eval: true, workerData: base }));
      const seen = await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      })));
      await Promise.all(workers.map((worker) => worker.terminate()));
      console.log(JSON.stringify({ seen, mine: addon.interfaceIndex('same0') === tap.ifindex }));`);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ seen: [true, true, true], mine: true });
    expect(status).toBe(0);
  });
});
