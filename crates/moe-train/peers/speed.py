"""Tokens a second of training the run's model in PyTorch on the CPU: what `cargo xtask train speed --peer` stands beside.

The same shape as crates/moe-model: pre-norm blocks, grouped-query attention with rotary positions, top-k of SwiGLU experts
with weights that sum to 1, computed expert by expert over the tokens that asked (as transformers' Mixtral does it), a tied
head; cross-entropy, balance and z-loss, backward pass, clipping and AdamW. Nobody is turned away. Random tokens.

Prints one line of JSON: {"torch": version, "threads": n, "tokens_per_second": [one number a round]}.
"""

import argparse
import json
import math
import time

import torch
from torch import nn
from torch.nn import functional as F


def rms_norm(x, weight):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * weight


def rotated(x, angles):
    """x: [sequences, heads, tokens, d_head]; angles: [tokens, d_head / 2]."""
    left, right = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)


class Block(nn.Module):
    def __init__(self, of):
        super().__init__()
        d, h, kv, e, f = of.d_model, of.num_heads, of.num_kv_heads, of.num_experts, of.d_expert
        self.of, self.d_head = of, d // h
        self.attention_norm = nn.Parameter(torch.ones(d))
        self.moe_norm = nn.Parameter(torch.ones(d))
        self.q = nn.Linear(d, h * self.d_head, bias=False)
        self.k = nn.Linear(d, kv * self.d_head, bias=False)
        self.v = nn.Linear(d, kv * self.d_head, bias=False)
        self.o = nn.Linear(h * self.d_head, d, bias=False)
        self.gate = nn.Linear(d, e, bias=False)
        self.w_gate = nn.Parameter(torch.randn(e, d, f) / math.sqrt(d))
        self.w_up = nn.Parameter(torch.randn(e, d, f) / math.sqrt(d))
        self.w_down = nn.Parameter(torch.randn(e, f, d) / math.sqrt(f))

    def attention(self, x, angles):
        of = self.of
        s, t, _ = x.shape
        heads = lambda y, n: y.view(s, t, n, self.d_head).transpose(1, 2)
        q, k = rotated(heads(self.q(x), of.num_heads), angles), rotated(heads(self.k(x), of.num_kv_heads), angles)
        v = heads(self.v(x), of.num_kv_heads)
        groups = of.num_heads // of.num_kv_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).reshape(s, t, -1))

    def experts(self, x):
        of = self.of
        x = x.reshape(-1, of.d_model)
        logits = self.gate(x)
        weights, chosen = logits.softmax(-1).topk(of.k, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        for expert in range(of.num_experts):
            token, slot = (chosen == expert).nonzero(as_tuple=True)
            if token.numel():
                taken = x[token]
                hidden = F.silu(taken @ self.w_gate[expert]) * (taken @ self.w_up[expert])
                y = y.index_add(0, token, hidden @ self.w_down[expert] * weights[token, slot, None])
        share = F.one_hot(chosen, of.num_experts).float().mean((0, 1))
        balance = of.num_experts * (share * logits.softmax(-1).mean(0)).sum()
        return y, 0.01 * balance + 0.001 * logits.logsumexp(-1).square().mean()

    def forward(self, x, angles):
        x = x + self.attention(rms_norm(x, self.attention_norm), angles)
        y, loss = self.experts(rms_norm(x, self.moe_norm))
        return x + y.view_as(x), loss


class Model(nn.Module):
    def __init__(self, of):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(of.vocabulary, of.d_model) * 0.02)
        self.blocks = nn.ModuleList(Block(of) for _ in range(of.num_layers))
        self.final_norm = nn.Parameter(torch.ones(of.d_model))
        d_head = of.d_model // of.num_heads
        rates = 10_000.0 ** (-torch.arange(0, d_head, 2) / d_head)
        self.register_buffer("angles", torch.outer(torch.arange(of.tokens), rates))

    def forward(self, ids, targets):
        x, losses = self.embedding[ids], []
        for block in self.blocks:
            x, loss = block(x, self.angles)
            losses.append(loss)
        logits = rms_norm(x, self.final_norm) @ self.embedding.T
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()) + sum(losses) / len(losses)


def main():
    arguments = argparse.ArgumentParser()
    names = "d_model num_layers num_heads num_kv_heads num_experts d_expert k vocabulary sequences tokens rounds threads"
    for name in names.split():
        arguments.add_argument("--" + name.replace("_", "-"), type=int, required=True)
    of = arguments.parse_args()
    torch.set_num_threads(of.threads)
    torch.manual_seed(1)
    model = Model(of)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    speeds = []
    for _ in range(of.rounds + 1):
        window = torch.randint(of.vocabulary, (of.sequences, of.tokens + 1))
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        model(window[:, :-1], window[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        speeds.append(of.sequences * of.tokens / (time.perf_counter() - start))
    # The first step makes what later ones reuse.
    print(json.dumps({"torch": torch.__version__, "threads": of.threads, "tokens_per_second": speeds[1:]}))


if __name__ == "__main__":
    main()
