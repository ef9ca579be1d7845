"""The guided sampler and what it reads: prompts, attention, energies, held latents, inverted photos and their cache."""
