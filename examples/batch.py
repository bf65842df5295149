"""Many requests at once: a shared system prompt, several samples of one question, and a question that comes later.

Run it with `python examples/batch.py`.
"""

from radixchat import Ask, Engine, SamplingParams

engine = Engine.load("radish")
system = "You are a helpful assistant.\n"
greedy = SamplingParams(temperature=0, max_tokens=32)
warm = SamplingParams(temperature=0.8, max_tokens=32, seed=1, n=3)


def ask(question: str, params: SamplingParams) -> Ask:
    """Returns a question under the system prompt."""
    return Ask(prompt=f"{system}User: {question}\nAssistant:", params=params)


# All at once: the second question waits until the first has computed what they share; samples fork from one prompt.
questions = [ask("What is a radix tree?", greedy), ask("What is a KV cache?", greedy), ask("Tell me a joke.", warm)]
for done in engine.run(questions):
    print(f"reused {done.reused_tokens:2} of {done.prompt_tokens}, prefilled {done.prefilled_tokens:2}:{done.text}")

# One by one: what is submitted joins those that run at the next iteration.
print()
texts = dict.fromkeys(engine.submit(ask("What is a token?", greedy)), "")
iterations = 0
while engine.busy:
    if iterations == 3:
        texts |= dict.fromkeys(engine.submit(ask("What is attention?", greedy)), "")
    for chunk in engine.iterate():
        texts[chunk.reply] += chunk.text
        if chunk.completion is not None:
            print(f"reply {chunk.reply} ends at iteration {iterations}: {texts[chunk.reply].strip()}")
    iterations += 1
