output "budget_names" {
  description = "Budgets."
  value       = values(aws_budgets_budget.this)[*].name
}
