"""The bundled styles as tables: what they were learnt from, how well they foretell, how large they are.

python benchmarks/styles.py
"""

from __future__ import annotations

from kapelle.styles import list_styles


def main() -> None:
    listings = [listing for listing in list_styles()[0] if not listing.own]
    print("| style | learnt from | network | training | size |\n|---|---|---|---|---|")
    for listing in listings:
        card = listing.card
        print(
            f"| `{listing.name}` | {card.pieces:,} pieces, {card.notes:,} notes | `{card.network}`, "
            f"{card.parameters / 1e6:.2f} M weights | {card.figures['epochs']:.0f} epochs, "
            f"{card.seconds / 60:.0f} minutes | {listing.size / 1e6:.2f} MB |"
        )
    print("\n| style | nats a note: learnt from | validation | test | made by |\n|---|---|---|---|---|")
    for listing in listings:
        figures = listing.card.figures
        if "test nats per note" not in figures:
            continue  # a style of windows: benchmarks/musicvae.py
        cells = [f"{figures[f'{part} nats per note']:.3f}" for part in ("train", "valid", "test")]
        print(f"| `{listing.name}` | {' | '.join(cells)} | `{listing.card.command}` |")


if __name__ == "__main__":
    main()
