"""What can be recorded, asked and forecast: channels, candidates, designs, parameters, spec."""
