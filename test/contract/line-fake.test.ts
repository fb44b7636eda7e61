/** The fake line keeps the contract that it stands for. */
import { FakeLine } from './fake-line.js';
import { describeLineContract } from './line-contract.js';

describeLineContract({
  name: 'FakeLine',
  floodBytes: 262_144,
  bench: async () => {
    const line = new FakeLine();
    return {
      line,
      send: (octets) => line.far.send(octets),
      received: () => line.far.received(),
      receivedBytes: () => line.far.received().length,
      setReading: (reading) => {
        line.far.reading = reading;
      },
      hangUp: () => line.far.hangUp(),
      dispose: async () => undefined,
    };
  },
  absent: async () => {
    const line = new FakeLine('/dev/absent');
    line.far.absent = true;
    return line;
  },
});
