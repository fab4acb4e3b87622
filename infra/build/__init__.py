"""From the sources to what CloudFormation deploys: one template and one zip."""
