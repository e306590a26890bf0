"""What stands around the steps of `Trainer.fit`: the call itself, validation, how long it takes."""
