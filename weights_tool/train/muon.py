"""Muon: the momentum of each matrix, orthogonalised by Newton-Schulz steps, is its update (K. Jordan et al., 2024); scaled so that its root mean
square is 0.2, that of AdamW's usual update (J. Liu et al., "Muon is scalable for LLM training", 2025), so one learning rate serves both. Own code."""

import torch

STEPS, A, B, C = 5, 3.4445, -4.7750, 2.0315  # x <- A x + (B s + C s s) x with s = x x^T pushes all singular values towards 1


def orthogonal(g):
    """(batch, n, m), n <= m -> about the nearest matrices with orthonormal rows"""
    x = g / (g.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(STEPS):
        s = x @ x.mT
        x = A * x + (B * s + C * (s @ s)) @ x
    return x


class Muon(torch.optim.Optimizer):
    """params: tensors of two and more dimensions; a convolution counts as a matrix (out, in * k * k). Matrices of one shape go through together."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.03, dtype=torch.bfloat16):
        super().__init__(list(params), dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.dtype = dtype

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - group["momentum"])
                u = p.grad.lerp(m, group["momentum"]).flatten(1)
                shapes.setdefault((min(u.shape), max(u.shape)), []).append((p, u))
            for (n, m), some in shapes.items():
                wide = torch.stack([u if u.shape == (n, m) else u.mT for _, u in some]).to(self.dtype)
                for (p, u), q in zip(some, orthogonal(wide).float() * (0.2 * m**0.5)):
                    q = q if u.shape == q.shape else q.mT
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(q.reshape(p.shape), alpha=-group["lr"])
