import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FinishOrder } from './finish-order.ts';
import { newSequence, type Sequence } from './sequence.ts';

it('gives sequences by their steps, those of one step as they came, whoever left in between', () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(100) }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
      const order = new FinishOrder();
      let model: { readonly step: number; readonly sequence: Sequence }[] = [];
      for (const one of actions) {
        if (one === 'take') {
          expect(order.firstStep).toBe(model[0]?.step ?? Number.POSITIVE_INFINITY);
          if (model.length > 0) expect(order.takeFirst()).toBe(model.shift()!.sequence);
        } else if ('add' in one) {
          const sequence = newSequence({ id: 0, promptTokens: 1, outputTokens: 1 });
          order.add(one.add, sequence);
          model = [...model, { step: one.add, sequence }].sort((a, b) => a.step - b.step);
        } else if (model.length > 0) {
          const [gone] = model.splice(one.remove % model.length, 1);
          order.remove(gone!.sequence);
        }
      }
    }),
  );
});
