"""The learning rates of optim/schedules.h, step by step."""

import torch
from torch.optim import lr_scheduler


def cases(case):
    def schedule(name, kind, steps, lr=0.1, **options):
        def run():
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
            scheduler = kind(optimizer, **options)
            rates = []
            for _ in range(steps):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                scheduler.step()
            return torch.tensor(rates, dtype=torch.float64)

        case(name, run)

    schedule("step_decay", lr_scheduler.StepLR, 10, step_size=3)
    schedule("step_decay: factor", lr_scheduler.StepLR, 10, step_size=2, gamma=0.5)
    schedule("cosine", lr_scheduler.CosineAnnealingLR, 11, T_max=10)
    schedule("cosine: min_lr", lr_scheduler.CosineAnnealingLR, 8, T_max=7, eta_min=0.02)
    schedule("linear_warmup", lr_scheduler.LinearLR, 10)
    schedule("linear_warmup: from 0.1", lr_scheduler.LinearLR, 6, start_factor=0.1, total_iters=4)
    cycle = lr_scheduler.OneCycleLR
    schedule("one_cycle", cycle, 20, max_lr=0.5, total_steps=20)
    schedule(
        "one_cycle: other factors",
        cycle,
        11,
        max_lr=0.5,
        total_steps=11,
        pct_start=0.5,
        div_factor=10,
        final_div_factor=100,
    )
# SPDX-License-Identifier: MIT
