"""The study: a model beside baselines and filters on people it never met."""
