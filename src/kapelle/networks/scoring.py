"""What a choice costs, and whether it was expected; shared by the torch networks."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def scored(logits: Tensor, words: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cost and luck of one column.

    Args:
        logits: of every word, shape (B, T, V).
        words: that were told, shape (B, T).
        smoothing: share of the cost that all words bear alike, 0..1, so that nothing is held impossible that was
            not told (Szegedy et al. 2016, arXiv:1512.00567, section 7). 0 gives the likelihood.

    Returns:
        Negative log-likelihood in nats, and whether no other word was held more likely; each of shape (B, T).
    """
    logits = logits.float()
    costs = F.cross_entropy(logits.flatten(0, 1), words.flatten(), reduction="none", label_smoothing=smoothing).view(
        words.shape
    )
    told = logits.detach().gather(-1, words.unsqueeze(-1)).squeeze(-1)
    return costs, told >= logits.detach().amax(-1)
