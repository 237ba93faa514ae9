"""What CRMs send and want to hear: one translation module for each, onto the strict core model.

The core accepts one exact form; a CRM sends numbers as texts, empty texts for what is missing, and whole
records. A module here turns the one into the other, and nothing else: every number is that of POST /v1/score.
"""
