/** A custom kind of expert, which looks answers up in a table in the config. */
import { createGateway } from 'expert-router';
import { defineExpert, lastText, RouterError, RunningGenerations, z } from 'expert-router/expert';

const lookup = defineExpert({
  kind: 'lookup',
  summary: 'answers from a table of questions',
  options: z.strictObject({
    answers: z.record(z.string(), z.string()).describe('answers, keyed by a lower-case word of the question'),
  }),
  create: async (id, { answers }, deps) => {
    const running = new RunningGenerations(id);
    return {
      id,
      kind: 'lookup',
      speaks: [],
      generate: ({ ask }, sink) => {
        const meta = {
          id: deps.newId(ask.dialect.idPrefix),
          created: Math.floor(deps.now() / 1000),
          model: id,
        };
        return running.start(ask, sink, meta, async ({ reply, drained }) => {
          const question = lastText(ask).toLowerCase();
          const found = Object.keys(answers).find((word) => question.includes(word));
          if (found === undefined) throw new RouterError('expert_failed', `'${id}' has no answer to that.`);
          if (!reply.text(answers[found] ?? '')) await drained();
          reply.finish('stop', 'unknown');
        });
      },
      health: async () => ({ state: 'ready' }),
      close: () => running.close(),
    };
  },
});

const config = `
experts:
  - id: opening-hours
    kind: lookup
    description: When the shop is open
    answers: { sunday: 'We are closed on Sundays.', open: 'We open at nine.' }
`;
const gateway = await createGateway(config, { kinds: [lookup] });
const url = await gateway.listen({ port: 0 });
const response = await fetch(`${url}/v1/chat/completions`, {
  method: 'POST',
  body: JSON.stringify({ messages: [{ role: 'user', content: 'Can I come on Sunday?' }] }),
});
const { choices } = /** @type {any} */ (await response.json());
console.log(choices[0].message.content);
await gateway.close();
