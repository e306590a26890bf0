"""Constant elasticity of substitution: preferences between baskets of goods."""
