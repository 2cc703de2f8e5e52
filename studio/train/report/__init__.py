"""What is written about a trained model: charts without Qt, and one page with everything."""
