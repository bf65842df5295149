"""Two questions under one system prompt: the second computes only what is new.

Run it with `python examples/share_a_prefix.py`.
"""

from radixchat import Engine, SamplingParams

engine = Engine.load("radish")
greedy = SamplingParams(temperature=0, max_tokens=40)

system = "You are a helpful assistant.\n"
for question in ("What is a radix tree?", "What is a KV cache?"):
    done = engine.generate(f"{system}User: {question}\nAssistant:", greedy)
    print(f"{question}{done.text}")
    print(f"  reused {done.reused_tokens} of {done.prompt_tokens} prompt tokens, prefilled {done.prefilled_tokens}")
