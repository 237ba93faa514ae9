"""What a backtest is made of: its dates, its questions, who answers them, and the days of warning."""
